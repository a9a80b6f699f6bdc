// Package seal opens and makes what SMB2 encrypts, checks and makes what it signs: key
// derivation, AES-CCM and AES-GCM, HMAC-SHA256, AES-CMAC and AES-GMAC, and the session
// key that NTLM leaves behind, with the answer to its challenge. [MS-SMB2] 3.1.4.1 to 3.1.4.3, [MS-NLMP] 3.3
//
// Whoever has the bytes of a message and a key gets an answer: nothing in here knows
// of sessions or connections.
package seal
