package client

import (
	"context"
	"crypto/rand"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Negotiate begins a connection over t, which it closes at its end, also where it fails.
// [MS-SMB2] 3.2.4.2.2, 3.2.5.2
func Negotiate(ctx context.Context, t Transport, o *Options) (*Conn, error) {
	c := newConn(t, o)
	if err := c.negotiate(ctx); err != nil {
		c.fail(err)
		<-c.read
		return nil, err
	}
	return c, nil
}

func (c *Conn) negotiate(ctx context.Context) error {
	if c.ClientGUID == (wire.GUID{}) {
		fill(c.ClientGUID[:])
	}
	dialects := offers(c.o.Dialects, smb2.Dialect202, smb2.Dialect210, smb2.Dialect300, smb2.Dialect302, smb2.Dialect311)
	c.offered = smb2.NegotiateRequest{
		SecurityMode: c.o.Mode | smb2.SigningEnabled, ClientGUID: c.ClientGUID, Dialects: smb2.Codes(dialects...),
	}
	highest := smb2.Dialect(0)
	for _, d := range dialects {
		highest = max(highest, d)
	}
	if highest >= smb2.Dialect300 {
		c.offered.Capabilities = smb2.CapDFS | smb2.CapLeasing | smb2.CapLargeMTU | smb2.CapMultiChannel |
			smb2.CapPersistentHandles | smb2.CapDirectoryLeasing | smb2.CapEncryption
	}
	if highest == smb2.Dialect311 {
		salt := make([]byte, 32)
		fill(salt)
		c.offered.NegotiateContexts = smb2.NegotiateContexts{
			Hashes: smb2.Codes(smb2.SHA512), Salt: salt,
			Ciphers:  smb2.Codes(offers(c.o.Ciphers, smb2.AES128GCM, smb2.AES128CCM, smb2.AES256GCM, smb2.AES256CCM)...),
			Signings: smb2.Codes(offers(c.o.Signings, smb2.AESGMAC, smb2.AESCMAC, smb2.HMACSHA256)...),
		}
		if c.o.ServerName != "" {
			c.offered.Netname = wire.AppendUTF16(nil, c.o.ServerName)
		}
	}
	calls, err := c.start(ctx, nil, &Request{Command: smb2.Negotiate, Body: c.offered.Append(nil)})
	if err != nil {
		return err
	}
	a, err := calls[0].Wait(ctx)
	if err != nil {
		return err
	}
	if a.Status != ntstatus.Success {
		return &StatusError{Command: a.Command, Status: a.Status}
	}
	var d smb2.Decoder
	m := decode(&d, a.Message)
	r, ok := m.Body.(*smb2.NegotiateResponse)
	if !ok || m.Err != nil {
		return protocolError("a NEGOTIATE response that cannot be read: %v", m.Err)
	}
	if err := c.agree(r); err != nil {
		return err
	}
	c.preauth.Add(calls[0].request)
	c.preauth.Add(a.Message)
	c.limit.Store(maxFrame)
	return nil
}

// agree takes over what the server chose, if it was offered.
func (c *Conn) agree(r *smb2.NegotiateResponse) error {
	if !c.offered.Dialects.Has(uint16(r.Dialect)) {
		return protocolError("dialect %#04x, which was not offered", uint16(r.Dialect))
	}
	c.Dialect, c.ServerGUID, c.Mode, c.Capabilities = r.Dialect, r.ServerGUID, r.SecurityMode, r.Capabilities
	c.MaxTransact, c.MaxRead, c.MaxWrite = r.MaxTransactSize, r.MaxReadSize, r.MaxWriteSize
	c.MultiCredit = r.Dialect > smb2.Dialect202 && r.Capabilities&smb2.CapLargeMTU != 0
	switch {
	case r.Dialect < smb2.Dialect300:
		c.Signing = smb2.HMACSHA256
	case r.Dialect < smb2.Dialect311:
		c.Signing = smb2.AESCMAC
		if r.Capabilities&smb2.CapEncryption != 0 {
			c.Cipher = smb2.AES128CCM
		}
	default:
		c.Signing = smb2.AESCMAC
		if r.Hashes.Len() != 1 || smb2.Hash(r.Hashes.At(0)) != smb2.SHA512 {
			return protocolError("no hash for preauthentication")
		}
		if r.Signings.Len() > 0 {
			c.Signing = smb2.Signing(r.Signings.At(0))
			if !c.offered.Signings.Has(uint16(c.Signing)) {
				return protocolError("signing algorithm %d, which was not offered", c.Signing)
			}
		}
		if r.Ciphers.Len() > 0 {
			c.Cipher = smb2.Cipher(r.Ciphers.At(0)) // 0: no common one
			if c.Cipher != 0 && !c.offered.Ciphers.Has(uint16(c.Cipher)) {
				return protocolError("cipher %d, which was not offered", c.Cipher)
			}
		}
	}
	return nil
}

// decode decodes one message; it is valid as long as d is not used again.
func decode(d *smb2.Decoder, b []byte) *smb2.Message {
	at := wire.New(b, nil)
	return d.Decode(&at, nil)
}

// fill fills b with random bytes.
func fill(b []byte) { _, _ = rand.Read(b) } // never fails, says its documentation
