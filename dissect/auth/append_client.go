package auth

import (
	"bytes"
	"errors"

	"github.com/odxray/odxray/dissect/wire"
)

// What a client says to set a session up: NTLMSSP or Kerberos within SPNEGO. Keys and
// proofs of NTLM are made in package seal.

// ClientFlags are the flags that a client offers that can sign and seal, and that
// wants a session key of its own.
const ClientFlags = NegotiateUnicode | NegotiateSign | NegotiateSeal | NegotiateExtended | NegotiateTargetInfo |
	NegotiateVersion | Negotiate128 | NegotiateKeyExch | requestTarget | negotiateNTLM | alwaysSign | negotiate56

const (
	requestTarget NTLMFlags = 1 << 2
	negotiateNTLM NTLMFlags = 1 << 9
	alwaysSign    NTLMFlags = 1 << 15
	negotiate56   NTLMFlags = 1 << 31
)

// ber is a BER element around contents. [X.690] 8.1
func ber(tag uint8, contents ...[]byte) []byte {
	body := bytes.Join(contents, nil)
	b := []byte{tag}
	switch n := len(body); {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 1<<8:
		b = append(b, 0x81, byte(n))
	case n < 1<<16:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, body...)
}

// MechTypes is a list of mechanisms to offer, the preferred first. It is what a
// mechListMIC is made of. RFC 4178 4.1
func MechTypes(list ...Mech) []byte {
	var oids []byte
	for _, m := range list {
		oids = append(oids, ber(oidTag, []byte(mechs[m].oid))...)
	}
	return ber(sequenceTag, oids)
}

// KerberosToken is an AP-REQ as a token of GSS-API. RFC 4121 4.1
func KerberosToken(request []byte) []byte {
	return ber(applicationTag, ber(oidTag, []byte(mechs[Kerberos5].oid)), []byte{1, 0}, request)
}

// InitToken is a client's first token: a NegTokenInit with the MechTypes that it offers,
// and the token of the first of them. RFC 4178 4.2.1
func InitToken(mechTypes, token []byte) []byte {
	return ber(applicationTag,
		ber(oidTag, []byte(mechs[SPNEGOMech].oid)),
		ber(contextTag, ber(sequenceTag,
			ber(contextTag, mechTypes),
			ber(contextTag+2, ber(octetStringTag, token)))))
}

// RespToken is each further one: a NegTokenResp with the mechanism's token and the
// mechListMIC, each unless it is nil. RFC 4178 4.2.2
func RespToken(token, mic []byte) []byte {
	var parts [][]byte
	if token != nil {
		parts = append(parts, ber(contextTag+2, ber(octetStringTag, token)))
	}
	if mic != nil {
		parts = append(parts, ber(contextTag+3, ber(octetStringTag, mic)))
	}
	return ber(contextTag+1, ber(sequenceTag, parts...))
}

// appendVersion appends what a client says that it is. [MS-NLMP] 2.2.2.10
func appendVersion(b []byte) []byte { return append(b, 6, 1, 0, 0, 0, 0, 0, 15) }

// Negotiate is a client's NEGOTIATE_MESSAGE, which names nobody. [MS-NLMP] 2.2.1.1
func Negotiate(flags NTLMFlags) []byte {
	b := wire.AppendU32([]byte(signature), uint32(NTLMNegotiate))
	b = wire.AppendU32(b, uint32(flags))
	b = wire.AppendZeros(b, 16)
	return appendVersion(b)
}

// Where an AUTHENTICATE_MESSAGE holds its MIC.
const (
	MICOffset = 72
	micSize   = 16
)

// Authenticate is a client's AUTHENTICATE_MESSAGE of the names, the responses and the
// SessionKey in m, with zeros for a MIC of MICOffset unless the user is nobody.
// [MS-NLMP] 2.2.1.3
func Authenticate(m *NTLMMessage) []byte {
	fixed := MICOffset
	if m.Flags&NegotiateAnonymous == 0 {
		fixed += micSize
	}
	b := wire.AppendU32([]byte(signature), uint32(NTLMAuthenticate))
	var payload []byte
	for _, v := range [][]byte{m.LMResponse, m.NTResponse, m.Domain.Raw, m.User.Raw, m.Workstation.Raw, m.SessionKey} {
		b = wire.AppendU16(b, uint16(len(v)))
		b = wire.AppendU16(b, uint16(len(v)))
		b = wire.AppendU32(b, uint32(fixed+len(payload)))
		payload = append(payload, v...)
	}
	b = wire.AppendU32(b, uint32(m.Flags))
	b = appendVersion(b)
	return append(wire.AppendZeros(b, fixed-len(b)), payload...)
}

var errNoChallenge = errors.New("the server's token is no NTLMSSP_CHALLENGE")

// ResponseInfo is the list of attributes that an NTLMv2 response repeats of a
// Challenge, with those that the client adds: that there is a MIC, and the service
// that it means, such as cifs/server. time is that of the server's list, or now where
// that has none. [MS-NLMP] 3.1.5.1.2
func ResponseInfo(challenge []byte, now uint64, service string) (list []byte, time uint64, err error) {
	const infoOffset = 40
	c := wire.New(challenge, nil)
	r := c.From(fTargetInfo, infoOffset)
	n := r.U16(fInfoPair.n)
	r.U16(fInfoPair.most)
	v := c.At(fTargetInfo, r.U32(fInfoPair.off), uint32(n))
	if r.Failed() || v.Failed() {
		return nil, 0, errNoChallenge
	}
	attribute := func(a Attribute, b []byte) {
		list = wire.AppendU16(list, uint16(a))
		list = wire.AppendU16(list, uint16(len(b)))
		list = append(list, b...)
	}
	time = now
	var flags uint32
	for v.Len() >= 4 {
		a := Attribute(v.U16(fTargetInfo))
		b := v.Bytes(fTargetInfo, int(v.U16(fTargetInfo)))
		if v.Failed() {
			return nil, 0, errNoChallenge
		}
		look := wire.New(b, nil)
		switch a {
		case endOfList:
			v.Skip(fTargetInfo, v.Len())
			continue
		case attrFlags:
			flags = look.U32(fTargetInfo)
			continue
		case attrTime:
			if t := look.U64(fTargetInfo); !look.Failed() {
				time = t
			}
		case attrTarget, channelBindings:
			continue
		}
		attribute(a, b)
	}
	const hasMIC = 2
	attribute(attrFlags, wire.AppendU32(nil, flags|hasMIC))
	attribute(channelBindings, zeros[:])
	attribute(attrTarget, wire.AppendUTF16(nil, service))
	attribute(endOfList, nil)
	return list, time, nil
}
