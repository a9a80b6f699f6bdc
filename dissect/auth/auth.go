// Package auth decodes the security blobs that a session is set up with: SPNEGO,
// NTLMSSP and Kerberos, as far as they say who speaks to whom and why it failed.
// What is encrypted stays opaque.
//
// A token of NTLMSSP names the user, the domain and the workstation, its challenge the
// server, its response the service that the client means. A ticket of Kerberos' names
// the service, but hides the client; an error says why there will be no session.
// Whatever is wrong with a blob is wrong with the blob alone: see [Decode].
//
// [MS-SPNG], [MS-NLMP], RFC 4120, RFC 4121
package auth

import (
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

// Message is a decoded security blob. Everything that is not a number aliases the
// message it was decoded from.
type Message struct {
	Mechanism Mech        // what the token is of; Unknown if the blob holds none, or one of another kind
	SPNEGO    SPNEGO      // what negotiates the mechanism; zero if the token came without
	NTLM      NTLMMessage // valid iff Mechanism is NTLM
	Kerberos  Kerberos    // valid iff Mechanism is another but NegoEx, and Kerberos.Type is set
}

// Mech is a GSS-API mechanism.
type Mech uint8

const (
	Unknown Mech = iota
	SPNEGOMech
	NTLM
	Kerberos5
	MSKerberos5
	UserToUser
	NegoEx
	IAKerb
)

var mechs = [...]struct{ oid, name, short string }{
	SPNEGOMech:  {"\x2b\x06\x01\x05\x05\x02", "SPNEGO - Simple Protected Negotiation", "SPNEGO"},
	NTLM:        {"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a", "NTLMSSP - Microsoft NTLM Security Support Provider", "NTLM"},
	Kerberos5:   {"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", "KRB5 - Kerberos 5", "Kerberos"},
	MSKerberos5: {"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02", "MS KRB5 - Microsoft Kerberos 5", "Kerberos"},
	UserToUser:  {"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03", "KRB5 - Kerberos 5 - User to User", "Kerberos user to user"},
	NegoEx:      {"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x1e", "NEGOEX - SPNEGO Extended Negotiation Security Mechanism", "NegoEx"},
	IAKerb:      {"\x2b\x06\x01\x05\x02\x05", "IAKERB - Initial and Pass Through Authentication Using Kerberos 5", "IAKERB"},
}

// String is a short name, "" for Unknown.
func (m Mech) String() string {
	if int(m) < len(mechs) {
		return mechs[m].short
	}
	return ""
}

// oidName is what tshark prints after the mechanism's identifier.
func oidName(v uint64) string { return mechs[v].name }

func mechOf(oid wire.OID) Mech {
	for m := SPNEGOMech; int(m) < len(mechs); m++ {
		if mechs[m].oid == string(oid) {
			return m
		}
	}
	return Unknown
}

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

var (
	gss     = fields.Section("RFC 2743 3.1")
	fGSSAPI = gss.Struct("gss-api", "GSS-API Generic Security Service Application Program Interface")
	fOID    = gss.OID("gss-api.OID", "OID", oidName)
	fToken  = gss.Bytes("gss-api.token_object", "Token object")
)

// Decode decodes the security blob that is the rest of c: SPNEGO, or NTLMSSP or
// Kerberos without it, or a signature of theirs. An empty one leaves m zero, an unknown
// one is kept as bytes.
//
// A blob that cannot be read makes c fail. That is no fault of the message around
// it: the caller reads the blob through a cursor of its own, and should not Join that.
func Decode(c *wire.Cursor, m *Message) {
	*m = Message{}
	if c.Len() == 0 {
		return
	}
	mark := c.Open(fGSSAPI)
	look := c.Ahead()
	switch id := look.U8(fToken); {
	case isNTLM(c):
		m.Mechanism = NTLM
		m.NTLM.Decode(c)
	case id == applicationTag:
		_, t := c.Element(fToken)
		switch mech := mechanism(&t, fOID); mech {
		case SPNEGOMech:
			m.SPNEGO.decode(&t, m)
		case Kerberos5, MSKerberos5, UserToUser, IAKerb:
			t.Meet("spnego-krb5")
			m.Mechanism = mech
			m.Kerberos.decode(&t)
		default:
			t.Bytes(fToken, t.Len())
		}
		c.Join(&t)
	case id == contextTag, id == contextTag+1:
		m.SPNEGO.decode(c, m)
	case isKerberos(id):
		m.Mechanism = Kerberos5
		m.Kerberos.decodeMessage(c)
	case signed(c):
	default:
		c.Bytes(fToken, c.Len())
	}
	c.Close(mark)
}

// DecodeNTLM decodes a blob of NTLMSSP's where no other is possible: one of its
// messages, or a signature. Failures are as in Decode.
func DecodeNTLM(c *wire.Cursor, m *Message) {
	*m = Message{}
	switch {
	case isNTLM(c):
		m.Mechanism = NTLM
		m.NTLM.Decode(c)
	case signed(c):
	default:
		c.Bytes(fToken, c.Len())
	}
}

// token decodes the token of a mechanism, which SPNEGO carries; one of an unknown
// mechanism has no nodes of its own.
func (m *Message) token(c *wire.Cursor) {
	look := c.Ahead()
	switch id := look.U8(fToken); {
	case isNTLM(c):
		m.Mechanism = NTLM
		m.NTLM.Decode(c)
	case id == applicationTag || isKerberos(id):
		m.kerberosBlob(c, id)
	case isNegoEx(c):
		m.Mechanism = NegoEx
	}
}

// isNegoEx reports whether a token begins as those of [MS-NEGOEX] 2.2.5 do. What
// they negotiate is not known to SMB servers that matter, so no more is decoded.
func isNegoEx(c *wire.Cursor) bool {
	look := c.Ahead()
	return string(look.Pass(fToken, 8)) == "NEGOEXTS"
}

// isNTLM reports whether c is at an NTLMSSP message, or at what is left of one.
func isNTLM(c *wire.Cursor) bool {
	look := c.Ahead()
	b := look.Pass(fToken, min(len(signature), look.Len()))
	return len(b) > 0 && strings.HasPrefix(signature, string(b))
}

// AppendInfo appends what Wireshark's Info column says of the blob: nothing, or
// ", NTLMSSP_AUTH, User: DOMAIN\user".
func (m *Message) AppendInfo(b []byte) []byte {
	if m.Mechanism == NTLM {
		b = m.NTLM.appendInfo(b)
	}
	return b
}
