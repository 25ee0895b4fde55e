internal import CCeph

/// How a new image is laid out; what is left nil the cluster's configuration decides.
public struct ImageOptions: Hashable, Sendable {
    /// The implicit ones (striping, data pool) follow from the other options.
    public var features: Image.Features?
    /// The size of an object as a power of two, 12 to 25; 22 is usual.
    public var order: Int?
    /// Bytes; together with ``stripeCount``.
    public var stripeUnit: UInt64?
    /// Objects to stripe over; together with ``stripeUnit``.
    public var stripeCount: UInt64?
    /// The pool that takes the data, when it is another one.
    public var dataPool: String?
    /// For clones: 1, or 2, which needs no protected snapshot.
    public var cloneFormat: Int?
    /// Of the journal, where the image has one: the size of its objects as a power of two, 12 to 26; 24 is usual.
    public var journalOrder: Int?
    /// How many objects of the journal are written side by side; 4 is usual.
    public var journalSplayWidth: Int?
    /// The pool that takes the journal's entries, when it is another one.
    public var journalPool: String?
    /// Mirrors the image from the begin, where its pool mirrors single images.
    public var mirrorMode: Image.MirrorMode?

    public init(
        features: Image.Features? = nil, order: Int? = nil, stripeUnit: UInt64? = nil, stripeCount: UInt64? = nil,
        dataPool: String? = nil, cloneFormat: Int? = nil, mirrorMode: Image.MirrorMode? = nil, journalOrder: Int? = nil,
        journalSplayWidth: Int? = nil, journalPool: String? = nil
    ) {
        (self.journalOrder, self.journalSplayWidth, self.journalPool) = (journalOrder, journalSplayWidth, journalPool)
        self.features = features
        self.order = order
        self.stripeUnit = stripeUnit
        self.stripeCount = stripeCount
        self.dataPool = dataPool
        self.cloneFormat = cloneFormat
        self.mirrorMode = mirrorMode
    }

    /// Lends the options as librbd takes them.
    func withOptions(_ body: (rbd_image_options_t) -> CInt) -> CInt {
        var options: rbd_image_options_t?
        rbd_image_options_create(&options)
        defer { rbd_image_options_destroy(options) }
        func number(_ value: Int?) -> UInt64? { value.map { UInt64($0) } }
        let numbers: [(Int, UInt64?)] = [
            (Int(RBD_IMAGE_OPTION_FORMAT), 2), (Int(RBD_IMAGE_OPTION_FEATURES), features?.rawValue),
            (Int(RBD_IMAGE_OPTION_ORDER), number(order)), (Int(RBD_IMAGE_OPTION_STRIPE_UNIT), stripeUnit),
            (Int(RBD_IMAGE_OPTION_STRIPE_COUNT), stripeCount), (Int(RBD_IMAGE_OPTION_CLONE_FORMAT), number(cloneFormat)),
            (Int(RBD_IMAGE_OPTION_JOURNAL_ORDER), number(journalOrder)),
            (Int(RBD_IMAGE_OPTION_JOURNAL_SPLAY_WIDTH), number(journalSplayWidth)),
            (Int(RBD_IMAGE_OPTION_MIRROR_IMAGE_MODE), mirrorMode.map { UInt64($0.rawValue) }),
        ]
        for case (let name, let value?) in numbers {
            let code = rbd_image_options_set_uint64(options, CInt(name), value)
            if code < 0 { return code }
        }
        let names: [(Int, String?)] = [(Int(RBD_IMAGE_OPTION_DATA_POOL), dataPool), (Int(RBD_IMAGE_OPTION_JOURNAL_POOL), journalPool)]
        for case (let option, let name?) in names {
            let code = rbd_image_options_set_string(options, CInt(option), name)
            if code < 0 { return code }
        }
        return body(options!)
    }
}
