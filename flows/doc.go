// Package flows holds all state above the transport: TCP streams, connections,
// sessions, trees, opens, requests and their answers, copies, tokens, the index.
//
// Packets go in at [Analyzer.Packet], in the order of the capture; what is known
// comes out as values: [Exchange] by [Exchange], and at the end, or at any moment
// of a running pass, as [Results]. Nothing in here starts a goroutine. What the
// capture does not show stays unknown: an empty name, a zero frame, and never a
// guess.
//
// [Capture] joins an Analyzer with the files it reads, for commands and the
// terminal: the pass, and random access to any frame behind it.
package flows
