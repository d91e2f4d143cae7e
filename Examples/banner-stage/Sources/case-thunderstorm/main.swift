import BannerStage
import Plugins
import ThunderstormCommand

// The program with every built-in stage and ours: it serves, scans and explains like the original.
await Thunderstorm.main(stages: BuiltinStages.all + [BannerStage.self])
