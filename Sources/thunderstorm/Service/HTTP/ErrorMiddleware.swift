import Hummingbird
import NIOHTTP1
import Pipeline

/// Turns everything that is thrown into a JSON answer.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = ServiceRequestContext

    let eventLog: any EventLog

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            if let detail = error.detail {
                eventLog.message(.error, module: "HTTPServer", error.message, fields: [("ERROR", detail)])
            }
            return .error(error)
        } catch is HTTPParserError {
            return .error(.truncated)
        } catch let error as HTTPError where error.status == .notFound {
            return .error(
                APIError(
                    status: .notFound, reason: "not_found",
                    message: "there is nothing here; the API is described at /api/v1/openapi.yaml"))
        } catch {
            eventLog.message(
                .error, module: "HTTPServer", "a request failed",
                fields: [("ENDPOINT", context.endpointPath ?? "-"), ("ERROR", "\(error)")])
            return .error(.failed("the request failed inside the service; its log says why"))
        }
    }
}
