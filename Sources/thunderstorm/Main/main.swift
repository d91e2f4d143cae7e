import Plugins
import ThunderstormCommand

await Thunderstorm.main(stages: BuiltinStages.all)
