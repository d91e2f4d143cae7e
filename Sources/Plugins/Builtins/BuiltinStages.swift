import Archive
import Decompress
import EVTX
import Email
import ExternalCommand
import FileHeuristics
import FileType
import IOC
import JumpList
import LNK
import LogLines
import MemoryDump
import Persistence
import Pipeline
import Prefetch
import RegistryHive
import Sigma
import UserArtefacts
import YARA

/// The stages that come with the program: the one explicit list, in chain order.
public enum BuiltinStages {
    /// All of them.
    public static let all: [any Stage.Type] = [
        FileTypeStage.self,
        SelectorsStage.self,
        // Before every stage that wants whole files: a dump of many gigabytes is read in pieces, not copied.
        MemoryDumpStage.self,
        DecompressStage.self,
        EmailStage.self,
        EVTXStage.self,
        RegistryHiveStage.self,
        LNKStage.self,
        PrefetchStage.self,
        JumpListStage.self,
        ErrorReportStage.self,
        RecycleBinStage.self,
        ModuleCacheStage.self,
        ScheduledTaskStage.self,
        AtJobStage.self,
        CronStage.self,
        AuthorizedKeysStage.self,
        GroupsXMLStage.self,
        TomcatUsersStage.self,
        HostsFileStage.self,
        ArchiveStage.self,
        LogLinesStage.self,
        FileHeuristicsStage.self,
        CommandStage.self,
        IOCStage.self,
        YARAStage.self,
        SigmaStage.self,
    ]
}
