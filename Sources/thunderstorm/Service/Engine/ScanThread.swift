import Pipeline

/// Runs a scan on a thread with a stack of 8 MiB and returns what it returns.
///
/// - Throws: `SystemError` if the system refuses a thread.
public func onScanThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try startThread { continuation.resume(returning: body()) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}
