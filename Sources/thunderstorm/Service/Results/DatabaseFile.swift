import FoundationEssentials
import GRDB
import Glibc
import Pipeline

/// A SQLite file of the upload directory.
///
/// WAL with synchronous=FULL, so that what a commit wrote is on the disk when it returns. A file that cannot be read is
/// set aside and made anew.
struct DatabaseFile {
    /// Its path.
    var path: String
    /// Version of the schema; a file of a higher one is refused.
    var version: Int
    /// Makes the tables that are missing.
    var schema: String
    /// Each fails when a table of that name is not ours.
    var probes: [String]
    /// Whether all of it is read when it is opened, to see whether it is damaged.
    var isCheckedWhole = true

    /// Opens it, or makes it.
    ///
    /// - Parameter damaged: Told the new name of a file that could not be read.
    /// - Throws: `ConfigurationError` with the remedy, or what SQLite says.
    func open(damaged: (String) -> Void) throws -> DatabasePool {
        if unlink(damageMark) { damaged(setAside()) }
        do {
            return try openPool()
        } catch let error as DatabaseError where Self.isDamage(error) {
            damaged(setAside())
            return try openPool()
        }
    }

    /// Has the next run set it aside: damage was seen while it was in use.
    func markDamaged() {
        let descriptor = unsafe Glibc.open(damageMark, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Whether an error says that the file is not what this program wrote.
    static func isDamage(_ error: DatabaseError) -> Bool {
        [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_SCHEMA].contains(error.resultCode)
    }

    private var damageMark: String { path + ".damaged" }

    private func unlink(_ file: String) -> Bool { unsafe Glibc.unlink(file) == 0 }

    private func openPool() throws -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { database in
            // GRDB's choice for WAL is NORMAL, which loses commits with the power.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            if isCheckedWhole {
                let check = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
                guard check == "ok" else {
                    throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: check)
                }
            }
            let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            guard found <= version else {
                throw ConfigurationError(
                    "--server-upload-dir: \(path) was written by a newer version of this program; use that, or "
                        + "another directory")
            }
        }
        try pool.write { database in
            try database.execute(sql: schema + "\nPRAGMA user_version = \(version);")
            // A table of the same name that is not ours shows here and not at the first upload.
            for probe in probes { _ = try Row.fetchOne(database, sql: probe) }
        }
        return pool
    }

    private func setAside() -> String {
        let name = "\(path).damaged-\(currentTime().seconds)"
        for suffix in ["", "-wal", "-shm"] { unsafe Glibc.rename(path + suffix, name + suffix) }
        return name
    }
}
