package server

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// multiProtocol answers an SMB1 NEGOTIATE that offers SMB2. [MS-SMB2] 3.3.5.3
func (c *conn) multiProtocol(b []byte) error {
	const commandOffset, negotiate = 4, 0x72
	if c.dialect != 0 || len(b) < 32 || b[commandOffset] != negotiate {
		return fmt.Errorf("SMB1: %w", errProtocol)
	}
	var d smb2.Dialect
	switch {
	case bytes.Contains(b, []byte("\x02SMB 2.???\x00")) && slices.ContainsFunc(c.s.cfg.Dialects, func(d smb2.Dialect) bool { return d > smb2.Dialect202 }):
		d = smb2.DialectWildcard
	case bytes.Contains(b, []byte("\x02SMB 2.002\x00")) && slices.Contains(c.s.cfg.Dialects, smb2.Dialect202):
		d = smb2.Dialect202
		c.agree(d)
	default:
		return fmt.Errorf("SMB1 without a dialect of SMB2: %w", errProtocol)
	}
	ch := newChain(c, nil)
	r := &request{chain: ch, began: time.Now()}
	r.h.Credits = 1
	if d != smb2.DialectWildcard { // else the client negotiates again, and some count from 0
		c.window.take(0, 1)
	}
	m := c.offer(d)
	m.Capabilities = 0
	r.body = m.Append(nil)
	ch.answer(r, ntstatus.Success)
	ch.flush()
	return nil
}

// agree settles what follows from the dialect.
func (c *conn) agree(d smb2.Dialect) {
	c.dialect, c.maxSize, c.signing = d, largeMessage, smb2.AESCMAC
	c.caps = smb2.CapLeasing | smb2.CapLargeMTU
	switch d {
	case smb2.Dialect202:
		c.caps, c.maxSize, c.signing = 0, smallMessage, smb2.HMACSHA256
	case smb2.Dialect210:
		c.signing = smb2.HMACSHA256
	case smb2.Dialect300, smb2.Dialect302:
		if n := c.manner; n != nil && n.Capabilities&smb2.CapEncryption == 0 {
			break
		}
		if c.clientCaps&smb2.CapEncryption != 0 && slices.Contains(c.s.cfg.Ciphers, smb2.AES128CCM) {
			c.caps |= smb2.CapEncryption
			c.cipher = smb2.AES128CCM
		}
	}
	if d >= smb2.Dialect300 && d != smb2.DialectWildcard {
		c.caps |= c.clientCaps & smb2.CapMultiChannel
	}
	if n := c.manner; n != nil {
		c.caps, c.maxSize = n.Capabilities, max(n.Transact, n.MaxRead, n.MaxWrite)
	}
}

// offer is what the server says of itself.
func (c *conn) offer(d smb2.Dialect) *smb2.NegotiateResponse {
	c.mode = smb2.SigningEnabled
	if c.s.cfg.RequireSigning {
		c.mode |= smb2.SigningRequired
	}
	size := c.maxSize
	if size == 0 {
		size = largeMessage
	}
	m := &smb2.NegotiateResponse{
		SecurityMode: c.mode, Dialect: d, ServerGUID: c.s.guid, Capabilities: c.caps,
		MaxTransactSize: size, MaxReadSize: size, MaxWriteSize: size,
		SystemTime: now(), StartTime: uint64(dtyp.FileTimeOf(c.s.started)), SecurityBlob: auth.ServerHello(),
	}
	if n := c.manner; n != nil {
		c.mode |= n.Mode
		m.SecurityMode, m.MaxTransactSize, m.MaxReadSize, m.MaxWriteSize = c.mode, n.Transact, n.MaxRead, n.MaxWrite
	}
	return m
}

// negotiate serves NEGOTIATE. [MS-SMB2] 3.3.5.4
func (r *request) negotiate(m *smb2.NegotiateRequest) status {
	c := r.c
	if c.dialect != 0 || r.related {
		return errHangUp // "the server MUST disconnect the connection" without an answer
	}
	if m.Dialects.Len() == 0 {
		return ntstatus.InvalidParameter
	}
	var d smb2.Dialect
	for _, have := range c.s.cfg.Dialects {
		if m.Dialects.Has(uint16(have)) {
			d = max(d, have)
		}
	}
	if d == 0 {
		return ntstatus.NotSupported
	}
	if d == smb2.Dialect311 && !m.Hashes.Has(uint16(smb2.SHA512)) {
		return ntstatus.InvalidParameter
	}
	if c.player != nil {
		if n := c.player.Negotiate(m); n != nil && m.Dialects.Has(uint16(n.Dialect)) && slices.Contains(c.s.cfg.Dialects, n.Dialect) {
			d, c.manner = n.Dialect, n
		}
	}
	c.s.mu.Lock() // breaks look for the connections of a client
	c.clientGUID = m.ClientGUID
	c.s.mu.Unlock()
	c.clientMode, c.clientCaps = m.SecurityMode, m.Capabilities
	c.offered = slices.Clone(m.Dialects)
	c.agree(d)
	a := c.offer(d)
	if d == smb2.Dialect311 {
		r.contexts(m, a)
		c.preauth.Add(r.raw)
		r.hash = &c.preauth
	}
	r.body = a.Append(nil)
	c.logf("%v, cipher %v, signing %v", d, c.cipherName(), c.signing)
	return ntstatus.Success
}

// contexts chooses of what a client of dialect 3.1.1 offers: what it prefers.
func (r *request) contexts(m *smb2.NegotiateRequest, a *smb2.NegotiateResponse) {
	c := r.c
	a.Hashes = smb2.Codes(smb2.SHA512)
	a.Salt = make([]byte, 32)
	rand.Read(a.Salt)
	ciphers, signings := c.s.cfg.Ciphers, c.s.cfg.Signings
	if n := c.manner; n != nil {
		ciphers, signings = prefer(ciphers, n.Ciphers, n.Cipher), prefer(signings, n.Signings, n.Signing)
	}
	if m.Ciphers != nil && ciphers != nil {
		c.cipher = choose(m.Ciphers, ciphers, 0)
		a.Ciphers = smb2.Codes(c.cipher)
	}
	if m.Signings != nil && signings != nil {
		c.signing = choose(m.Signings, signings, smb2.AESCMAC)
		a.Signings = smb2.Codes(c.signing)
	}
}

// prefer narrows what there is to what another server chose; nil if it did not choose.
func prefer[T ~uint16](have []T, chose bool, it T) []T {
	switch {
	case !chose:
		return nil
	case slices.Contains(have, it):
		return []T{it}
	}
	return have
}

// choose returns the first of list that is in have.
func choose[T ~uint16](list smb2.List16, have []T, otherwise T) T {
	for i := range list.Len() {
		if v := T(list.At(i)); slices.Contains(have, v) {
			return v
		}
	}
	return otherwise
}

func (c *conn) cipherName() string {
	if c.cipher == 0 {
		return "none"
	}
	return c.cipher.String()
}

// validateNegotiate serves FSCTL_VALIDATE_NEGOTIATE_INFO: what was said in NEGOTIATE is
// said again, now signed. Whoever tampered with it loses the connection.
// [MS-SMB2] 3.3.5.15.12
func (r *request) validateNegotiate(in []byte, most uint32) ([]byte, status) {
	c := r.c
	if c.dialect == smb2.Dialect311 {
		return nil, errHangUp
	}
	var m smb2.ValidateNegotiateRequest
	cursor := wire.New(in, nil)
	m.Decode(&cursor)
	if cursor.Failed() || most < 24 {
		return nil, ntstatus.InvalidParameter
	}
	if m.ClientGUID != c.clientGUID || m.SecurityMode != c.clientMode || m.Capabilities != c.clientCaps || !bytes.Equal(m.Dialects, c.offered) {
		c.logf("NEGOTIATE was not what the client says it sent")
		return nil, errHangUp
	}
	a := smb2.ValidateNegotiateResponse{Capabilities: c.caps, ServerGUID: c.s.guid, SecurityMode: c.mode, Dialect: c.dialect}
	return a.Append(nil), ntstatus.Success
}
