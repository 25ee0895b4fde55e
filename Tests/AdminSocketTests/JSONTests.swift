import Testing

@testable import AdminSocket

@Suite struct JSONTests {
    @Test func objectsKeepTheirOrder() {
        let value: JSONValue = ["pool": "p", "leader": true, "count": 5, "a": ["x", nil2], "empty": [], "none": [:]]
        #expect(value.rendered() == #"{"pool":"p","leader":true,"count":5,"a":["x",null],"empty":[],"none":{}}"#)
    }

    @Test func prettyIsIndentedAsCephDoes() {
        let value: JSONValue = ["version": "16.2.15", "list": ["a", ["b": 1]], "empty": [], "none": [:]]
        #expect(
            value.rendered(.pretty) == """
                {
                    "version": "16.2.15",
                    "list": [
                        "a",
                        {
                            "b": 1
                        }
                    ],
                    "empty": [],
                    "none": {}
                }

                """)
    }

    @Test(arguments: [
        ("a\"b", #""a\"b""#), ("a\\b", #""a\\b""#), ("\n\r\t", #""\n\r\t""#), ("\u{1}\u{1f}", #""\u0001\u001f""#),
        ("p/ns/img", #""p/ns/img""#), ("käse🧀", "\"käse🧀\""), ("", "\"\""), ("\u{7f}", #""\u007f""#),
    ])
    func escapes(_ text: String, _ expected: String) {
        #expect(JSONValue.string(text).rendered() == expected)
        #expect(JSONValue.parse(Array(expected.utf8)) == .string(text))
    }

    @Test(arguments: [
        (#"{"b":1,"a":[true,null,-2.5,"x"]}"#, #"{"a":[true,null,-2.5,"x"],"b":1}"#),
        ("9223372036854775807", "9223372036854775807"), ("[ ]", "[]"), ("{ }", "{}"),
    ])
    func parses(_ text: String, _ expected: String) {
        #expect(JSONValue.parse(Array(text.utf8))?.rendered() == expected)
    }

    @Test func numbersThatAreNone() {
        #expect(JSONValue.number(.infinity).rendered() == "null")
        #expect(JSONValue.number(.nan).rendered() == "null")
    }

    @Test(arguments: ["", "{", "{\"a\"", "[1,", "nul", "{\"a\":1}x", "\u{0}", "{'a':1}"])
    func refuses(_ text: String) {
        #expect(JSONValue.parse(Array(text.utf8)) == nil)
    }

    @Test func deepNestingIsRefusedNotFollowed() {
        #expect(JSONValue.parse(Array(repeating: UInt8(ascii: "["), count: 60_000)) == nil)
        let closed = String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000)
        #expect(JSONValue.parse(Array(closed.utf8)) == nil)
        let objects = String(repeating: "{\"a\":", count: 10_000) + "1" + String(repeating: "}", count: 10_000)
        #expect(JSONValue.parse(Array(objects.utf8)) == nil)
    }

    @Test func invalidUTF8IsRefused() {
        #expect(JSONValue.parse([UInt8(ascii: "\""), 0xff, 0xfe, UInt8(ascii: "\"")]) == nil)
    }

    private var nil2: JSONValue { .null }
}
