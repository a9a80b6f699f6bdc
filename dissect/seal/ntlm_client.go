package seal

import (
	"crypto/md5"
	"crypto/rc4"
	"errors"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/wire"
)

// NTLMUser is who authenticates. An empty User is nobody: the session will be anonymous.
type NTLMUser struct {
	User, Domain, Workstation string
	Hash                      [16]byte // NTHash of the password
}

// NTLMFresh is what a client makes up for one authentication.
type NTLMFresh struct {
	Challenge  [8]byte  // random
	SessionKey [16]byte // random
	Time       uint64   // FILETIME, for servers that do not tell theirs
}

var errChallenge = errors.New("the server's token is no NTLMSSP_CHALLENGE")

// NTLMAuthenticate answers the challenge of a server: the AUTHENTICATE_MESSAGE with its
// MIC, and the session key that it leaves. negotiate is the message that asked for the
// challenge, both as they were sent; service is what the client means to talk to, such
// as cifs/server. [MS-NLMP] 3.1.5.1.2, 3.3.2
func NTLMAuthenticate(u *NTLMUser, f *NTLMFresh, negotiate, challenge []byte, service string) (message, key []byte, err error) {
	var m auth.NTLMMessage
	c := wire.New(challenge, nil)
	if m.Decode(&c); c.Failed() || m.Type != auth.NTLMChallenge || len(m.ServerChallenge) != 8 {
		return nil, nil, errChallenge
	}
	text := func(s string) auth.Text { return auth.Text{Raw: wire.AppendUTF16(nil, s)} }
	out := auth.NTLMMessage{
		Flags: auth.ClientFlags & (m.Flags | auth.NegotiateVersion), Workstation: text(u.Workstation),
	}
	var base []byte
	if u.User == "" {
		out.Flags |= auth.NegotiateAnonymous
		out.LMResponse = []byte{0}
		base = make([]byte, 16)
	} else {
		out.User, out.Domain = text(u.User), text(u.Domain)
		list, now, err := auth.ResponseInfo(challenge, f.Time, service)
		if err != nil {
			return nil, nil, err
		}
		v2 := hmacMD5(u.Hash[:], upper(out.User), plain(out.Domain))
		blob := wire.AppendU64([]byte{1, 1, 0, 0, 0, 0, 0, 0}, now)
		blob = wire.AppendZeros(append(blob, f.Challenge[:]...), 4)
		blob = wire.AppendZeros(append(blob, list...), 4)
		proof := hmacMD5(v2, m.ServerChallenge, blob)
		out.NTResponse = append(proof[:len(proof):len(proof)], blob...)
		out.LMResponse = make([]byte, 24) // what is proved by the other response
		base = hmacMD5(v2, proof)
	}
	key = base
	if out.Flags&auth.NegotiateKeyExch != 0 {
		key = append([]byte{}, f.SessionKey[:]...)
		out.SessionKey = make([]byte, len(key))
		if c, err := rc4.NewCipher(base); err == nil {
			c.XORKeyStream(out.SessionKey, key)
		}
	}
	message = auth.Authenticate(&out)
	if u.User != "" {
		copy(message[auth.MICOffset:], hmacMD5(key, negotiate, challenge, message))
	}
	return message, key, nil
}

// NTLMSign is the signature of a message, the seq-th that this side signs with a
// session key, as it stands in a mechListMIC. [MS-NLMP] 3.4.4.2, 3.4.5.2, 3.4.5.3
//
// With NegotiateKeyExch it holds for seq 0 only: later ones depend on what was sealed
// before.
func NTLMSign(key []byte, flags auth.NTLMFlags, server bool, seq uint32, message []byte) []byte {
	side := "session key to client-to-server "
	if server {
		side = "session key to server-to-client "
	}
	signing := md5.Sum(append(append([]byte{}, key...), side+"signing key magic constant\x00"...))
	sum := hmacMD5(signing[:], wire.AppendU32(nil, seq), message)[:8]
	if flags&auth.NegotiateKeyExch != 0 {
		weak := key
		switch {
		case flags&auth.Negotiate128 != 0:
		case flags>>31 != 0 && len(key) > 7:
			weak = key[:7]
		case len(key) > 5:
			weak = key[:5]
		}
		sealing := md5.Sum(append(append([]byte{}, weak...), side+"sealing key magic constant\x00"...))
		if c, err := rc4.NewCipher(sealing[:]); err == nil {
			c.XORKeyStream(sum, sum)
		}
	}
	return wire.AppendU32(append([]byte{1, 0, 0, 0}, sum...), seq)
}
