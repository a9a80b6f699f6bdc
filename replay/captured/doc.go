// Package captured is the server of a capture, there again: requests are matched with
// those of the capture by what they mean, and get the answers that the capture shows, with
// the ids of now in the place of those of then.
//
// [Read] keeps what tells requests apart and where their answers lie; the answers stay in
// the capture file and are fetched when they are due. Connections, log-ons, signatures and
// encryption are those of the lab server, of which a [Server] is a Script.
//
//	flows.Capture ─► Read ─► Recording ─► Server ─► player, one a connection
package captured
