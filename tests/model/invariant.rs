//! What must hold, whatever happens in whatever order. Each has a planted bug that breaks it (`fault.rs`).

/// A promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Invariant {
    /// Never more claimants are granted a claim, or given a byte of the body, than the sender chose.
    AtMostClaimsMax,
    /// No claim is granted before the transfer is complete.
    CompleteBeforeClaim,
    /// No byte is given but of accepted parts of a complete transfer, whole.
    OnlyAcceptedIsServed,
    /// What was told to be ready can be claimed until it is burnt, expired or claimed, and its objects are there.
    ReadyIsKept,
    /// An accepted part is there as long as its transfer lives.
    AcceptedIsKept,
    /// Who holds a live lease may fetch everything, and is told the same lease when it claims again.
    LeaseHolds,
    /// What is given once is given once.
    OnceIsOnce,
    /// Once a transfer is gone nobody is given ciphertext; what was being sent ends with the piece that was looked up before.
    GoneIsSilent,
    /// The step that makes a transfer gone leaves neither manifest nor body nor list of parts, nor whose it was.
    GoneIsErased,
    /// No try of a part is begun that would stay in the queue beside as many as may.
    TriesAreBounded,
    /// When time goes on and sweepers run, no record, queue entry or object is left.
    NothingIsLeft,
    /// A wrong link proof, owner token or claim token is told that there is nothing, and changes nothing.
    WrongProofsChangeNothing,
    /// A wrong access proof costs an attempt and nothing else; the fifth locks, and a lock touches no live lease.
    GuessesOnlyLock,
    /// Create, complete, burn, unlock and delivered said twice succeed twice, and the second changes nothing.
    TwiceIsOnce,
    /// What the receipt says fits together, and nothing that ended is told otherwise later.
    ReceiptIsTrue,
    /// The counters say what has happened, and what its holder holds.
    CountersAreTrue,
}
