package seal

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// TestSeal: what is sealed opens again, with each cipher, and a changed header does not.
func TestSeal(t *testing.T) {
	for _, id := range []smb2.Cipher{smb2.AES128CCM, smb2.AES128GCM, smb2.AES256CCM, smb2.AES256GCM} {
		a, err := NewCipher(id, bytes.Repeat([]byte{9}, KeySize(id)))
		if err != nil {
			t.Fatal(err)
		}
		message := append((&smb2.Header{Command: smb2.Echo}).Append(nil), 4, 0, 0, 0)
		nonce := bytes.Repeat([]byte{7}, a.NonceSize())
		b := Seal([]byte("before"), a, nonce, 0x1122334455667788, message)[6:]
		open := func() ([]byte, error) {
			var d smb2.Decoder
			c := wire.New(b, nil)
			h := d.Transform(&c, nil)
			if c.Failed() || c.Len() != 0 || h.SessionID != 0x1122334455667788 || h.Flags != 1 || !bytes.Equal(h.Nonce[:len(nonce)], nonce) {
				t.Errorf("%v: %v, %+v", id, c.Err(), h)
			}
			return Open(nil, a, h)
		}
		if got, err := open(); err != nil || !bytes.Equal(got, message) {
			t.Errorf("%v: %v, %x", id, err, got)
		}
		b[40]++ // the reserved field, which is signed
		if _, err := open(); err == nil {
			t.Errorf("%v: a changed header opens", id)
		}
	}
}

// TestPut: what is signed in place verifies.
func TestPut(t *testing.T) {
	for _, id := range []smb2.Signing{smb2.HMACSHA256, smb2.AESCMAC, smb2.AESGMAC} {
		s := NewSigner(id, make([]byte, 16))
		for _, command := range []smb2.Command{smb2.Echo, smb2.Cancel} {
			m := append((&smb2.Header{Command: command, MessageID: 5}).Append(nil), 4, 0, 0, 0)
			if s.Put(m); !s.Verify(m) || m[flagsOffset]&byte(smb2.FlagSigned) == 0 {
				t.Errorf("%v, %v: %x", id, command, m)
			}
			if m[64]++; s.Verify(m) {
				t.Errorf("%v, %v: verifies after a change", id, command)
			}
		}
	}
}

// The example of [MS-NLMP] 4.2.4: user "User", domain "Domain", password "Password".
var (
	exampleChallenge = unhexClient("4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000" +
		"2400240044000000 0600701700000 00f 530065007200760065007200 02000c0044006f006d00610069006e00 01000c0053006500720076006500720000000000")
	exampleServer = []byte{1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
)

func unhexClient(s string) []byte {
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		panic(err)
	}
	return b
}

// TestNTLMAuthenticate: the server's half of this package takes what the client's makes.
func TestNTLMAuthenticate(t *testing.T) {
	u := NTLMUser{User: "User", Domain: "Domain", Workstation: "COMPUTER", Hash: NTHash("Password")}
	f := NTLMFresh{Challenge: [8]byte{0xaa}, SessionKey: [16]byte{0x55, 15: 1}, Time: 1}
	negotiate := auth.Negotiate(auth.ClientFlags)
	message, key, err := NTLMAuthenticate(&u, &f, negotiate, exampleChallenge, "cifs/server")
	if err != nil {
		t.Fatal(err)
	}
	var m auth.NTLMMessage
	c := wire.New(message, nil)
	m.Decode(&c)
	if c.Failed() || m.User.String() != "User" || m.Domain.String() != "Domain" || m.Workstation.String() != "COMPUTER" ||
		m.Info.TargetName.String() != "cifs/server" || m.Info.Flags != 2 || m.Info.NetBIOSComputer.String() != "Server" {
		t.Errorf("%v, %+v", c.Err(), m)
	}
	got, ok := NTLMKey(u.Hash, exampleServer, &m)
	if !ok || !bytes.Equal(got, key) || !bytes.Equal(key, f.SessionKey[:]) {
		t.Errorf("%v: %x, %x", ok, got, key)
	}
	mic := append([]byte{}, m.MIC...)
	clear(message[auth.MICOffset : auth.MICOffset+16])
	if want := hmacMD5(key, negotiate, exampleChallenge, message); !bytes.Equal(mic, want) {
		t.Errorf("MIC %x, want %x", mic, want)
	}
	if _, ok := NTLMKey(NTHash("password"), exampleServer, &m); ok {
		t.Error("another password fits")
	}
}

// TestNTLMAnonymous: nobody has no response, and no MIC.
func TestNTLMAnonymous(t *testing.T) {
	message, key, err := NTLMAuthenticate(&NTLMUser{}, &NTLMFresh{}, nil, exampleChallenge, "cifs/server")
	var m auth.NTLMMessage
	c := wire.New(message, nil)
	m.Decode(&c)
	if err != nil || c.Failed() || len(m.User.Raw) != 0 || len(m.NTResponse) != 0 || m.Flags&auth.NegotiateAnonymous == 0 || m.MIC != nil || len(key) != 16 {
		t.Errorf("%v, %v, %+v, %x", err, c.Err(), m, key)
	}
}

// TestNTLMHostile: no challenge, and every beginning of one, is an error.
func TestNTLMHostile(t *testing.T) {
	u := NTLMUser{User: "u"}
	for i := range exampleChallenge {
		if _, _, err := NTLMAuthenticate(&u, &NTLMFresh{}, nil, exampleChallenge[:i], "s"); err == nil {
			t.Errorf("%d of %d bytes are a challenge", i, len(exampleChallenge))
		}
	}
	if _, _, err := NTLMAuthenticate(&u, &NTLMFresh{}, nil, auth.Negotiate(0), "s"); err == nil {
		t.Error("a NEGOTIATE is a challenge")
	}
}

// TestNTLMSign looks at the form of signatures, and that sides and strengths differ: the
// tests of replay/client have a server verify them.
func TestNTLMSign(t *testing.T) {
	key := bytes.Repeat([]byte{0x55}, 16)
	client := NTLMSign(key, auth.ClientFlags, false, 0, []byte("x"))
	server := NTLMSign(key, auth.ClientFlags, true, 0, []byte("x"))
	weak := NTLMSign(key, auth.ClientFlags&^auth.Negotiate128, false, 0, []byte("x"))
	if len(client) != 16 || client[0] != 1 || bytes.Equal(client, server) || bytes.Equal(client, weak) || !bytes.Equal(client[12:], make([]byte, 4)) {
		t.Errorf("%x, %x, %x", client, server, weak)
	}
}

// TestTokens: what a client says within SPNEGO decodes as that.
func TestTokens(t *testing.T) {
	var m auth.Message
	negotiate := auth.Negotiate(auth.ClientFlags)
	c := wire.New(auth.InitToken(auth.MechTypes(auth.NTLM), negotiate), nil)
	auth.Decode(&c, &m)
	if c.Failed() || m.SPNEGO.Kind != auth.Init || m.SPNEGO.Mechs[0] != auth.NTLM || m.NTLM.Type != auth.NTLMNegotiate || m.NTLM.Flags != auth.ClientFlags {
		t.Errorf("%v, %+v", c.Err(), m)
	}
	u := NTLMUser{User: "User", Domain: "Domain", Hash: NTHash("Password")}
	message, key, err := NTLMAuthenticate(&u, &NTLMFresh{}, negotiate, exampleChallenge, "cifs/a-server-of-a-name-so-long-that-the-token-takes-a-length-of-two-bytes")
	if err != nil {
		t.Fatal(err)
	}
	mic := NTLMSign(key, auth.ClientFlags, false, 0, auth.MechTypes(auth.NTLM))
	c = wire.New(auth.RespToken(message, mic), nil)
	auth.Decode(&c, &m)
	if c.Failed() || m.SPNEGO.Kind != auth.Resp || m.NTLM.Type != auth.NTLMAuthenticate || m.NTLM.User.String() != "User" || !bytes.Equal(m.SPNEGO.MIC, mic) {
		t.Errorf("%v, %+v", c.Err(), m)
	}
}

// FuzzNTLMAuthenticate answers whatever a server calls a challenge: no panic, and an
// answer that its own half can read.
func FuzzNTLMAuthenticate(f *testing.F) {
	f.Add(exampleChallenge)
	f.Add(exampleChallenge[:60])
	f.Add(auth.Negotiate(auth.ClientFlags))
	u := NTLMUser{User: "User", Domain: "Domain", Hash: NTHash("Password")}
	f.Fuzz(func(t *testing.T, challenge []byte) {
		message, key, err := NTLMAuthenticate(&u, &NTLMFresh{}, nil, challenge, "cifs/server")
		if err != nil || len(message) > 1<<15 { // lengths in a message are of 16 bits
			return
		}
		var asked, m auth.NTLMMessage
		c := wire.New(challenge, nil)
		asked.Decode(&c)
		c = wire.New(message, nil)
		if m.Decode(&c); m.Type != auth.NTLMAuthenticate || m.Flags&auth.NegotiateUnicode != 0 && m.User.String() != "User" {
			t.Fatalf("%v, %+v", c.Err(), m)
		}
		if got, ok := NTLMKey(u.Hash, asked.ServerChallenge, &m); m.Flags&auth.NegotiateUnicode != 0 && (!ok || !bytes.Equal(got, key)) {
			t.Fatalf("%v: %x, want %x", ok, got, key)
		}
	})
}
