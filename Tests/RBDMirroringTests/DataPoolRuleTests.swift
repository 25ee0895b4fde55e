import RBDMirroring
import Testing

@Suite struct DataPoolRuleTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let what: String
        var configured = ""
        var source: String?
        var existing: Set<String> = ["vms"]
        let choice: String?
        var testDescription: String { what }
    }

    static let cases = [
        Case(what: "nothing is said", choice: nil),
        Case(what: "the source's pool is here too", source: "ec", existing: ["vms", "ec"], choice: "ec"),
        Case(what: "the source's pool is not here", source: "ec", choice: nil),
        Case(what: "a pool is configured", configured: "bulk", existing: ["vms", "bulk"], choice: "bulk"),
        Case(what: "what is configured comes first", configured: "bulk", source: "ec", existing: ["vms", "ec", "bulk"], choice: "bulk"),
        Case(what: "what is configured is the source's", configured: "ec", source: "ec", existing: ["vms", "ec"], choice: "ec"),
        Case(what: "what is configured is not there", configured: "bulk", source: "ec", existing: ["vms", "ec"], choice: "ec"),
        Case(what: "neither is there", configured: "bulk", source: "ec", choice: nil),
        Case(what: "the image's own pool is configured", configured: "vms", choice: nil),
        Case(what: "the own pool comes before the source's", configured: "vms", source: "ec", existing: ["vms", "ec"], choice: nil),
        Case(what: "the source's data is in a pool of our own pool's name", source: "vms", choice: nil),
    ]

    @Test(arguments: cases) func theRule(_ this: Case) {
        #expect(DataPoolRule.choose(
            configured: this.configured, source: this.source, own: "vms", existing: this.existing) == this.choice)
    }
}
