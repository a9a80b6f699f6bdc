// Package client speaks SMB2 to servers: dialects 2.0.2 to 3.1.1, NTLMv2 in SPNEGO,
// signing, encryption, compounds, asynchronous answers, credits, several connections of
// a session. [MS-SMB2] 3.2
//
// It has two sides.
//
// For replay: [Session.Start] takes requests whose bodies are ready, sends them as one
// compound and gives a [Call] for each; [Call.Wait] gives the answer as it came, with
// its time. MessageIds, credits, charges, SessionId, the signature and the encryption
// are the client's; the tree, the rest of the flags and the bytes of the body are the
// caller's. Nothing is retried, split or left out, so what a server says is what the
// request was answered with: a status is no error here.
//
// For programs: [Session.TreeConnect], [Tree.Open], [File.ReadAt] and their like, which
// return a [*StatusError] for a refusal.
//
//	t, err := client.DialTCP(ctx, "127.0.0.1:445")
//	conn, err := client.Negotiate(ctx, t, &client.Options{})
//	session, err := conn.Login(ctx, &client.Credentials{User: "user", Password: "…"})
//	calls, err := session.Start(ctx, &client.Request{Command: smb2.Create, TreeID: id, Body: body})
//	answer, err := calls[0].Wait(ctx)
//
// A [Conn] has one reader, which hands answers to who waits for them by MessageId, and
// writers that wait for credits before they send. Everything may be used by several
// goroutines at once. Every wait ends with its context or with the connection.
//
// Servers are not trusted: what they claim to be long is bounded by what was negotiated,
// an answer to nobody and a signature that does not fit end the connection. The errors
// have names: [ErrClosed], [ErrNoCredits], [ErrSignature], [ErrProtocol],
// [ErrNotEncrypted], [ErrDowngrade].
package client
