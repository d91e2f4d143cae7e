import Pipeline

// Complete events for demos and tests, in the shape that Windows writes: an outer template with the System part,
// and an inner one with the data of the provider.

extension SyntheticEventLog {
    /// What the System part of an event says.
    public struct System: Sendable {
        /// Provider name.
        public var provider: String
        /// Event number.
        public var id: UInt16
        /// Channel name.
        public var channel: String
        /// Computer name.
        public var computer: String
        /// When it happened, in 100 ns steps since 1601.
        public var time: UInt64
        /// Level: 4 is information.
        public var level: UInt8
        /// Provider GUID as stored; nil leaves the attribute out.
        public var providerGUID: [UInt8]?

        /// The System part of an event.
        public init(
            provider: String, id: UInt16, channel: String, computer: String = "WS01.corp.example",
            time: UInt64 = 132_539_328_000_000_000, level: UInt8 = 4, providerGUID: [UInt8]? = nil
        ) {
            self.provider = provider
            self.id = id
            self.channel = channel
            self.computer = computer
            self.time = time
            self.level = level
            self.providerGUID = providerGUID
        }
    }

    /// Appends an event with named data, as modern providers write it.
    public mutating func append(_ system: System, data: [(name: String, value: SyntheticEventValue)]) {
        let elements = data.enumerated().map { index, field in
            SyntheticEventContent.element(.data(field.name, slot: index, type: field.value.type))
        }
        append(system, payload: SyntheticEventElement("EventData", [], elements), values: data.map(\.value))
    }

    /// Appends an event with user data: one element with a leaf for each field.
    public mutating func append(
        _ system: System, userData root: String, _ fields: [(name: String, value: SyntheticEventValue)]
    ) {
        let leaves = fields.enumerated().map { index, field in
            SyntheticEventContent.element(
                SyntheticEventElement(field.name, [], [.value(index, type: field.value.type)]))
        }
        let inner = SyntheticEventElement(root, [("xmlns", [.text("urn:demo")])], leaves)
        append(
            system, payload: SyntheticEventElement("UserData", [], [.element(inner)]), values: fields.map(\.value))
    }

    /// Appends an event whose payload is an instance of the given element.
    public mutating func append(
        _ system: System, payload: SyntheticEventElement, values: [SyntheticEventValue]
    ) {
        let inner = SyntheticEventTemplate(guid: guid(of: payload), root: payload)
        append(
            .instance(
                Self.outer,
                [
                    .string(system.provider), system.providerGUID.map { .guid($0) } ?? .null, .number(system.id),
                    .number(system.level), .number(UInt16(0)), .hexadecimal(UInt64(0x8020_0000_0000_0000)),
                    .filetime(system.time), .number(recordNumber), .number(UInt32(4242)), .number(UInt32(1717)),
                    .string(system.channel), .string(system.computer), .sid(5, [18]),
                    .xml(.instance(inner, values)),
                ]),
            written: system.time)
    }

    private static let outer = SyntheticEventTemplate(
        0xE0,
        SyntheticEventElement(
            "Event", [("xmlns", [.text("http://schemas.microsoft.com/win/2004/08/events/event")])],
            [
                .element(
                    SyntheticEventElement(
                        "System", [],
                        [
                            .element(
                                SyntheticEventElement(
                                    "Provider",
                                    [("Name", [.value(0)]), ("Guid", [.value(1, type: 0x0F, optional: true)])])),
                            .element(SyntheticEventElement("EventID", [], [.value(2, type: 0x06)])),
                            .element(SyntheticEventElement("Version", [], [.text("0")])),
                            .element(SyntheticEventElement("Level", [], [.value(3, type: 0x04)])),
                            .element(SyntheticEventElement("Task", [], [.value(4, type: 0x06)])),
                            .element(SyntheticEventElement("Keywords", [], [.value(5, type: 0x15)])),
                            .element(
                                SyntheticEventElement("TimeCreated", [("SystemTime", [.value(6, type: 0x11)])])),
                            .element(SyntheticEventElement("EventRecordID", [], [.value(7, type: 0x0A)])),
                            .element(SyntheticEventElement("Correlation")),
                            .element(
                                SyntheticEventElement(
                                    "Execution",
                                    [
                                        ("ProcessID", [.value(8, type: 0x08)]),
                                        ("ThreadID", [.value(9, type: 0x08)]),
                                    ])),
                            .element(SyntheticEventElement("Channel", [], [.value(10)])),
                            .element(SyntheticEventElement("Computer", [], [.value(11)])),
                            .element(
                                SyntheticEventElement(
                                    "Security", [("UserID", [.value(12, type: 0x13, optional: true)])])),
                        ])),
                .value(13, type: 0x21),
            ]))

    // Templates of the same shape get the same GUID.
    private func guid(of element: SyntheticEventElement) -> [UInt8] {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in "\(element)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return (0..<16).map { UInt8(truncatingIfNeeded: hash >> UInt64($0 % 8 * 8)) &+ UInt8($0 / 8) }
    }
}
