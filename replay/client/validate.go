package client

import "github.com/odxray/odxray/dissect/smb2"

// ValidateInput is the input of FSCTL_VALIDATE_NEGOTIATE_INFO: what this connection's
// NEGOTIATE offered. [MS-SMB2] 2.2.31.4
func (c *Conn) ValidateInput() []byte {
	in := smb2.ValidateNegotiateRequest{
		Capabilities: c.offered.Capabilities, ClientGUID: c.ClientGUID, SecurityMode: c.offered.SecurityMode, Dialects: c.offered.Dialects,
	}
	return in.Append(nil)
}
