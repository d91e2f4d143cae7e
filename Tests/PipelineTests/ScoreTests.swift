import Pipeline
import Testing

struct ScoreTests {
    @Test(arguments: [
        ([70, 70, 50, 40, 40], 84.195859375, Level.warning, Level.alert),
        ([80, 60, 40], 87.4, .alert, .alert),
        ([70, 70, 70], 83.9125, .warning, .alert),
        ([75], 75, .warning, .warning),
        ([60, 40], 68, .warning, .warning),
        ([40], 40, .notice, .notice),
        ([100, 1], 100, .alert, .alert),
        ([30], 30, .debug, .info),
        ([29], 29, .debug, .debug),
    ])
    func publishedVectors(subscores: [Int], total: Double, v10: Level, v11: Level) {
        #expect(abs(totalScore(of: subscores) - total) < 1e-9)
        let rounded = Int(totalScore(of: subscores).rounded())
        #expect(LevelRules.v10.level(score: rounded, subscores: subscores) == v10)
        #expect(LevelRules.v11.level(score: rounded, subscores: subscores) == v11)
    }

    @Test func orderOfSubscoresDoesNotMatter() {
        #expect(totalScore(of: [40, 80, 60]) == totalScore(of: [80, 60, 40]))
    }

    @Test func negativeSubscoresAreSubtracted() {
        #expect(totalScore(of: [70, -30]) == 40)
        #expect(totalScore(of: [75, -100]) == 0)
        #expect(totalScore(of: [-10]) == 0)
        #expect(totalScore(of: []) == 0)
    }

    @Test func subscoresAboveOneHundredCountAsOneHundred() {
        #expect(totalScore(of: [250, 40]) == 100)
    }

    @Test func levelsHaveNames() {
        #expect(Level(name: "WARNING") == .warning)
        #expect(Level(name: "fatal") == nil)
        #expect(Level.allCases.map(\.name) == ["Debug", "Info", "Notice", "Error", "Warning", "Alert"])
    }
}
