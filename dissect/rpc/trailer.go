package rpc

import (
	"fmt"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/wire"
)

// trailerSize is the size of the trailer in bytes, without the token that follows.
const trailerSize = 8

var (
	security     = fields.Section("[MS-RPCE] 2.2.2.11")
	fAuthPadding = security.Bytes("dcerpc.auth_padding", "Auth Padding")
	fAuthInfo    = security.Struct("dcerpc.auth_info", "Auth Info").Formatted(func(v uint64) string {
		return fmt.Sprintf(": %s, %s, AuthContextId(%d)", AuthType(v>>40), AuthLevel(v>>32), uint32(v))
	})
	fAuthType    = security.Enum("dcerpc.auth_type", "Auth type", wire.Text[AuthType])
	fAuthLevel   = security.Enum("dcerpc.auth_level", "Auth level", wire.Text[AuthLevel])
	fAuthPad     = security.Uint("dcerpc.auth_pad_len", "Auth pad len")
	fAuthUnused  = security.Uint("dcerpc.auth_rsrvd", "Auth Rsrvd")
	fAuthContext = security.Uint("dcerpc.auth_ctx_id", "Auth Context ID")
	fCredentials = security.Bytes("dcerpc.auth_credentials", "Auth Credentials")
	fSignature   = security.Bytes("dcerpc.authentication_verifier", "Authentication verifier")
)

// trailer reads the rest of a PDU, from the trailer on.
func (h *Header) trailer(p *pdu) {
	mark := p.Open(fAuthInfo)
	a := &h.Auth
	a.Type = AuthType(p.U8(fAuthType))
	a.Level = AuthLevel(p.U8(fAuthLevel))
	p.U8(fAuthPad)
	p.U8(fAuthUnused)
	a.ContextID = p.u32(fAuthContext)
	p.Title(mark, uint64(a.Type)<<40|uint64(a.Level)<<32|uint64(a.ContextID), "")
	t := p.Sub(fCredentials, int(h.AuthLength))
	switch a.Type {
	case AuthSPNEGO, AuthKerberos:
		auth.Decode(&t, &a.Message)
	case AuthNTLM:
		auth.DecodeNTLM(&t, &a.Message)
	default:
		f := fCredentials
		if h.Type == Request || h.Type == Response || h.Type == Fault {
			f = fSignature
		}
		t.Bytes(f, t.Len())
	}
	p.Join(&t)
	p.Close(mark)
}
