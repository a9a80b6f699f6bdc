package replay

// Remote procedure calls that authenticate for themselves within a session. What proves the
// captured client proves nothing at the target: calls are sent without, and are the
// session's user's. [C706] 12.6, [MS-RPCE] 2.2.2.11

import (
	"errors"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/smb2"
)

const (
	rpcAuth3       = 16
	rpcAuthTrailer = 8 // before the token
	rpcPrivacy     = 6
	rpcFixed       = 16 // what all PDUs begin with
)

// bare takes the authentication out of the PDU that a request on a pipe carries. The error
// says why it cannot be sent without.
func bare(s *Step, b []byte) ([]byte, error) {
	const body = headerSize
	var at, n uint32
	switch {
	case len(b) < body+48:
		return b, nil
	case s.Header.Command == smb2.Write:
		at, n = uint32(le.Uint16(b[body+2:])), le.Uint32(b[body+4:])
	case s.Header.Command == smb2.Ioctl:
		at, n = ioctlInput(b)
	}
	pdu := part(b, at, n)
	if len(pdu) < rpcFixed || pdu[0] != 5 || pdu[4]&0xf0 != 0x10 || int(le.Uint16(pdu[8:])) != len(pdu) {
		return b, nil // none, or several
	}
	token := int(le.Uint16(pdu[10:]))
	whole := token + rpcAuthTrailer
	if token == 0 || whole > len(pdu)-rpcFixed {
		return b, nil
	}
	trailer := pdu[len(pdu)-whole:]
	switch {
	case pdu[2] == rpcAuth3:
		return nil, errors.New("it ends an authentication of the captured client's within the pipe: calls go without")
	case pdu[2] == rpcRequest && trailer[1] == rpcPrivacy:
		return nil, errors.New("the call is sealed by an authentication within the pipe, of which there is no key")
	}
	if pad := int(trailer[2]); pad <= len(pdu)-whole-rpcFixed {
		whole += pad
	}
	pdu = slices.Clone(pdu[:len(pdu)-whole])
	le.PutUint16(pdu[8:], uint16(len(pdu)))
	le.PutUint16(pdu[10:], 0)
	out := append(slices.Clone(b[:at]), pdu...)
	if s.Header.Command == smb2.Write {
		le.PutUint32(out[body+4:], uint32(len(pdu)))
	} else {
		le.PutUint32(out[body+28:], uint32(len(pdu)))
		le.PutUint32(out[body+36:], at) // of the output, which a request has none of
	}
	return out, nil
}

// ofRPCAuth reports whether a field belongs to an authentication within a pipe.
func ofRPCAuth(name string) bool {
	return strings.HasPrefix(name, "dcerpc.auth_") || strings.HasPrefix(name, "spnego.") || strings.HasPrefix(name, "ntlmssp.") || name == "dcerpc.cn_auth_len"
}
