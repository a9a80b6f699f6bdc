package auth

import "github.com/odxray/odxray/dissect/wire"

// What a server says to set a session up: SPNEGO around NTLMSSP.

// Object identifiers with their BER tags. RFC 4178 4.1, [MS-NLMP] 1.3.2
const (
	oidSPNEGO = "\x06\x06\x2b\x06\x01\x05\x05\x02"
	oidNTLM   = "\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"
)

// ServerHello is the token that a server's NEGOTIATE response brings: it can do
// NTLMSSP. The hints that Windows adds mean nothing. [MS-SPNG] 2.2.1, NegTokenInit2
func ServerHello() []byte {
	mechs := ber(contextTag, ber(sequenceTag, []byte(oidNTLM)))
	init := ber(contextTag, ber(sequenceTag, mechs))
	return ber(applicationTag, []byte(oidSPNEGO), init)
}

// Answer is a NegTokenResp that takes NTLMSSP: state, its token and the signature of
// the list of mechanisms, both left out if empty. RFC 4178 4.2.2
func Answer(state NegState, token, mic []byte) []byte {
	parts := [][]byte{ber(contextTag, ber(enumTag, []byte{byte(state - 1)}))}
	if state != Completed || token != nil {
		parts = append(parts, ber(contextTag+1, []byte(oidNTLM)))
	}
	if token != nil {
		parts = append(parts, ber(contextTag+2, ber(octetStringTag, token)))
	}
	if mic != nil {
		parts = append(parts, ber(contextTag+3, ber(octetStringTag, mic)))
	}
	return ber(contextTag+1, ber(sequenceTag, parts...))
}

// ChallengeFlags are what a server answers to the flags of a Negotiate: those it can
// do, and what it says of itself.
func ChallengeFlags(client NTLMFlags) NTLMFlags {
	const requestTarget, alwaysSign, ntlm, targetServer, bits56 = 1 << 2, 1 << 15, 1 << 9, 1 << 17, 1 << 31
	can := NegotiateUnicode | NegotiateSign | NegotiateSeal | NegotiateExtended | Negotiate128 | NegotiateKeyExch |
		NegotiateVersion | requestTarget | alwaysSign | ntlm | bits56
	return client&can | NegotiateUnicode | ntlm | NegotiateTargetInfo | targetServer | requestTarget
}

// Challenge is a CHALLENGE_MESSAGE of the server called name, at a time as FILETIME.
// [MS-NLMP] 2.2.1.2
func Challenge(flags NTLMFlags, challenge [8]byte, name string, time uint64) []byte {
	target := wire.AppendUTF16(nil, name)
	var info []byte
	attribute := func(a Attribute, v []byte) {
		info = wire.AppendU16(info, uint16(a))
		info = wire.AppendU16(info, uint16(len(v)))
		info = append(info, v...)
	}
	for _, a := range []Attribute{nbDomain, nbComputer, dnsDomain, dnsComputer} {
		attribute(a, target)
	}
	attribute(attrTime, wire.AppendU64(nil, time))
	attribute(endOfList, nil)

	const fixed = 56
	pair := func(b []byte, n, off int) []byte {
		b = wire.AppendU16(b, uint16(n))
		b = wire.AppendU16(b, uint16(n))
		return wire.AppendU32(b, uint32(off))
	}
	b := wire.AppendU32([]byte(signature), uint32(NTLMChallenge))
	b = pair(b, len(target), fixed)
	b = wire.AppendU32(b, uint32(flags))
	b = append(b, challenge[:]...)
	b = wire.AppendZeros(b, 8)
	b = pair(b, len(info), fixed+len(target))
	b = append(b, 6, 1, 0, 0, 0, 0, 0, 15) // version 6.1, revision 15 of NTLM
	b = append(b, target...)
	return append(b, info...)
}
