// Package server is the lab server: an SMB 2.0.2 to 3.1.1 server with offloaded data
// transfer, for tests and demonstrations. It is no production file server: what clients
// may do is not told apart by user, and nothing survives a restart but files.
//
// One goroutine a connection takes messages in; each compound runs in a goroutine of its
// own, but those of a connection take turns, and give their turn away only where they
// wait: for an oplock break, a lock, a change. What connections share is guarded by
// Server.mu, which nobody holds while waiting or while data moves.
//
//	conn ─► chain ─► request ─► a handler in the file of its command ─► open ─► file ─► store
package server
