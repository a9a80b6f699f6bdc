package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func equal(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, unhex(want)) {
		t.Errorf("%s: %x, want %s", what, got, want)
	}
}

func newAES(key string) cipher.Block {
	b, err := aes.NewCipher(unhex(key))
	if err != nil {
		panic(err)
	}
	return b
}

// The examples of RFC 3610 8 and [SP800-38C] C.
func TestCCM(t *testing.T) {
	for _, x := range []struct{ name, key, nonce, associated, text, sealed string }{
		{"RFC 3610, packet vector 1", "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000003020100a0a1a2a3a4a5", "0001020304050607",
			"08090a0b0c0d0e0f101112131415161718191a1b1c1d1e", "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"},
		{"SP800-38C, example 1", "404142434445464748494a4b4c4d4e4f", "10111213141516", "0001020304050607", "20212223", "7162015b4dac255d"},
		{"SP800-38C, example 2", "404142434445464748494a4b4c4d4e4f", "1011121314151617", "000102030405060708090a0b0c0d0e0f",
			"202122232425262728292a2b2c2d2e2f", "d2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd"},
	} {
		nonce, associated, text := unhex(x.nonce), unhex(x.associated), unhex(x.text)
		c := &ccm{block: newAES(x.key), nonceSize: len(nonce), tagSize: (len(x.sealed) - len(x.text)) / 2}
		equal(t, x.name, c.Seal(nil, nonce, text, associated), x.sealed)
		got, err := c.Open(nil, nonce, unhex(x.sealed), associated)
		equal(t, x.name, got, x.text)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// What is sealed opens again, at every length around a block and around the buffer of
// the code, and no longer once a bit of it is wrong.
func TestCCMRoundTrip(t *testing.T) {
	c := &ccm{block: newAES("404142434445464748494a4b4c4d4e4f"), nonceSize: 11, tagSize: tagSize}
	nonce, associated := make([]byte, 11), make([]byte, 32)
	for _, n := range []int{0, 1, 15, 16, 17, 1007, 1008, 1009, 1023, 1024, 1025, 5000} {
		text := bytes.Repeat([]byte{7}, n)
		sealed := c.Seal(nil, nonce, text, associated)
		got, err := c.Open(nil, nonce, sealed, associated)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: opened to %d, %v", n, len(got), err)
		}
		for i := range sealed {
			sealed[i] ^= 1
			if i > 40 && i < len(sealed)-tagSize {
				sealed[i] ^= 1
				continue
			}
			if _, err := c.Open(nil, nonce, sealed, associated); !errors.Is(err, ErrTag) {
				t.Errorf("%d bytes, byte %d changed: %v", n, i, err)
			}
			sealed[i] ^= 1
		}
	}
	if _, err := c.Open(nil, nonce, make([]byte, tagSize-1), nil); !errors.Is(err, ErrTag) {
		t.Errorf("less than a tag: %v", err)
	}
}

// RFC 4493 4
func TestCMAC(t *testing.T) {
	c := newCMAC(newAES("2b7e151628aed2a6abf7158809cf4f3c"))
	equal(t, "K1", c.k1[:], "fbeed618357133667c85e08f7236a8de")
	equal(t, "K2", c.k2[:], "f7ddac306ae266ccf90bc11ee46d513b")
	message := unhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{
		0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		sum := c.sum(message[:n/3], message[n/3:n])
		equal(t, "CMAC", sum[:], want)
	}
}

// The examples that Microsoft published to [MS-SMB2] 3.1.4.2, with what the client
// calls EncryptionKey second.
func TestDerive(t *testing.T) {
	preauth := func(s string) *Preauth { p := Preauth(unhex(s)); return &p }
	first := preauth("0dd13628cc3ed218ef9df9772d436d0887ab9814bfae63a80aa845f36909db7928622dddad522d9751640a459762c5a9d6bb084cbb3ce6bdadef5d5bce3c6c01")
	for _, x := range []struct {
		name                          string
		dialect                       smb2.Dialect
		key                           string
		preauth                       *Preauth
		signing, toServer, fromServer string
	}{
		{"2.1", smb2.Dialect210, "7cd451825d0450d235424e44ba6e78cc", nil, "7cd451825d0450d235424e44ba6e78cc", "", ""},
		{"3.0", smb2.Dialect300, "7cd451825d0450d235424e44ba6e78cc", nil,
			"0b7e9c5cac36c0f6ea9ab275298cedce", "fad27796665b313ebb578f388632b4f7", "b0f0427f7ceb416d1d9dcc0cd4f99447"},
		{"3.1.1", smb2.Dialect311, "270e1ba896585eeb7af3472d3b4c75a7", first,
			"73fe7a9a77bef0bde49c650d8ccb5f76", "629bcbc54422a0f572b97f45989b6073", "e2af0dcefac68da71a0dfbd0d1350d74"},
	} {
		k := Derive(x.dialect, smb2.AES128GCM, unhex(x.key), x.preauth)
		equal(t, x.name+" signing", k.Signing, x.signing)
		equal(t, x.name+" client to server", k.ClientToServer, x.toServer)
		equal(t, x.name+" server to client", k.ServerToClient, x.fromServer)
	}
	if k := Derive(smb2.Dialect300, 0, unhex("4e01a2b313bcf660cc250bef021aede6"), nil); hex.EncodeToString(k.Signing) != "ba1a17dbbfec349bca105563d598952f" {
		t.Errorf("second channel, 3.0: signing %x", k.Signing)
	}
}

// AES-256 takes all of a session key, the rest its first 16 bytes.
func TestDeriveLong(t *testing.T) {
	long := bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 4)
	p := new(Preauth)
	a, b := Derive(smb2.Dialect311, smb2.AES256GCM, long, p), Derive(smb2.Dialect311, smb2.AES256GCM, long[:16], p)
	if len(a.ClientToServer) != 32 || bytes.Equal(a.ClientToServer, b.ClientToServer) {
		t.Errorf("AES-256: %x of the whole key, %x of its half", a.ClientToServer, b.ClientToServer)
	}
	if !bytes.Equal(a.Signing, b.Signing) {
		t.Errorf("signing depends on more than 16 bytes: %x, %x", a.Signing, b.Signing)
	}
	c := Derive(smb2.Dialect311, smb2.AES128GCM, long, p)
	if d := Derive(smb2.Dialect311, smb2.AES128GCM, long[:16], p); len(c.ClientToServer) != 16 || !bytes.Equal(c.ClientToServer, d.ClientToServer) {
		t.Errorf("AES-128: %x of the whole key, %x of its half", c.ClientToServer, d.ClientToServer)
	}
}

// The SESSION_SETUP response that ends the published example of 3.1.1.
const signedResponse = "fe534d4240000100000000000100800009000000000000000300000000000000fffe0000000000001900000000100000" +
	"ebe146da120ba25fc3376a49dfe31bc10900000048001d00a11b3019a0030a0100a3120410010000003b453cdc3524164200000000"

func TestVerify(t *testing.T) {
	message, key := unhex(signedResponse), unhex("73fe7a9a77bef0bde49c650d8ccb5f76")
	if s := NewSigner(smb2.AESCMAC, key); !s.Verify(message) {
		t.Errorf("AES-CMAC gives %x", s.Sign(message))
	}
	for _, kind := range []smb2.Signing{smb2.HMACSHA256, smb2.AESCMAC, smb2.AESGMAC} {
		s, m := NewSigner(kind, key), bytes.Clone(message)
		sig := s.Sign(m)
		copy(m[48:], sig[:])
		if !s.Verify(m) {
			t.Errorf("%v does not verify what it signed", kind)
		}
		for _, i := range []int{0, 20, 47, 48, 63, 64, len(m) - 1} {
			m[i] ^= 1
			if s.Verify(m) {
				t.Errorf("%v verifies a message with byte %d changed", kind, i)
			}
			m[i] ^= 1
		}
		if s.Verify(m[:63]) {
			t.Errorf("%v verifies less than a header", kind)
		}
	}
	if NewSigner(smb2.AESCMAC, key[:15]) != nil || NewSigner(7, key) != nil {
		t.Error("a short key or an unknown algorithm made a Signer")
	}
}

// A server and a client use different nonces, and CANCEL another one.
func TestGMACNonce(t *testing.T) {
	m := unhex(signedResponse)
	s := NewSigner(smb2.AESGMAC, make([]byte, 16))
	for _, x := range []struct {
		command, flags byte
		want           string
	}{{1, 9, "030000000000000001000000"}, {1, 8, "030000000000000000000000"}, {12, 8, "030000000000000002000000"}} {
		m[12], m[16] = x.command, x.flags
		n := s.nonce(m)
		equal(t, "nonce", n[:], x.want)
	}
}

// Every cipher opens what it sealed behind a transform header, wherever dst is.
func TestOpen(t *testing.T) {
	for _, kind := range []smb2.Cipher{smb2.AES128CCM, smb2.AES128GCM, smb2.AES256CCM, smb2.AES256GCM} {
		a, err := NewCipher(kind, make([]byte, KeySize(kind)))
		if err != nil {
			t.Fatal(err)
		}
		h := &smb2.TransformHeader{Nonce: make([]byte, 16), OriginalSize: 100, Associated: make([]byte, 32)}
		text := bytes.Repeat([]byte("x"), 100)
		sealed := a.Seal(nil, h.Nonce[:a.NonceSize()], text, h.Associated)
		h.Data, h.Signature = sealed[:100], sealed[100:]
		for _, dst := range [][]byte{nil, []byte("before"), make([]byte, 0, 1000)} {
			got, err := Open(dst, a, h)
			if err != nil || !bytes.Equal(got, slices.Concat(dst, text)) {
				t.Errorf("%v: %q, %v", kind, got, err)
			}
		}
		h.Data = h.Data[:99]
		if _, err := Open(nil, a, h); !errors.Is(err, ErrCut) {
			t.Errorf("%v, cut: %v", kind, err)
		}
		h.Data = append(bytes.Clone(h.Data), 'y')
		if _, err := Open(nil, a, h); !errors.Is(err, ErrTag) {
			t.Errorf("%v, changed: %v", kind, err)
		}
	}
	for _, n := range []int{0, 15, 17, 32} {
		if _, err := NewCipher(smb2.AES128GCM, make([]byte, n)); err == nil {
			t.Errorf("AES-128 took a key of %d bytes", n)
		}
	}
	if _, err := NewCipher(5, make([]byte, 16)); err == nil {
		t.Error("cipher 5 is known")
	}
}

// The example of [MS-NLMP] 4.2: user "User", domain "Domain", password "Password".
func ntlmExample(flags auth.NTLMFlags, lm, nt, session string) *auth.NTLMMessage {
	utf16 := func(s string) auth.Text {
		var b []byte
		for _, c := range []byte(s) {
			b = append(b, c, 0)
		}
		return auth.Text{Raw: b}
	}
	return &auth.NTLMMessage{Type: auth.NTLMAuthenticate, Flags: flags, User: utf16("User"), Domain: utf16("Domain"),
		LMResponse: unhex(lm), NTResponse: unhex(nt), SessionKey: unhex(session)}
}

func TestNTLM(t *testing.T) {
	hash := NTHash("Password")
	equal(t, "NT hash", hash[:], "a4f49c406510bdcab6824ee7c30fd852")
	challenge := unhex("0123456789abcdef")
	random := strings.Repeat("55", 16)
	v2 := "68cd0ab851e51c96aabc927bebef6a1c" + "0101000000000000" + "0000000000000000" + "aaaaaaaaaaaaaaaa" + "00000000" +
		"02000c0044006f006d00610069006e00" + "01000c00530065007200760065007200" + "00000000" + "00000000"
	for _, x := range []struct {
		name string
		m    *auth.NTLMMessage
		want string
	}{
		{"4.2.2, NTLMv1", ntlmExample(0, "", "67c43011f30298a2ad35ece64f16331c44bdbed927841f94", ""), "d87262b0cde4b1cb7499becccdf10784"},
		{"4.2.2, with a key exchange", ntlmExample(auth.NegotiateKeyExch, "", "67c43011f30298a2ad35ece64f16331c44bdbed927841f94",
			"518822b1b3f350c8958682ecbb3e3cb7"), random},
		{"4.2.3, with the client's challenge", ntlmExample(auth.NegotiateExtended, "aaaaaaaaaaaaaaaa"+strings.Repeat("00", 16),
			"7537f803ae367128ca458204bde7caf81e97ed2683267232", ""), "eb93429a8bd952f8b89c55b87f475edc"},
		{"4.2.4, NTLMv2", ntlmExample(auth.NegotiateExtended, "", v2, ""), "8de40ccadbc14a82f15cb0ad0de95ca3"},
		{"4.2.4, with a key exchange", ntlmExample(auth.NegotiateExtended|auth.NegotiateKeyExch, "", v2, "c5dad2544fc9799094ce1ce90bc9d03e"), random},
	} {
		key, ok := NTLMKey(hash, challenge, x.m)
		if !ok {
			t.Errorf("%s: the password does not fit", x.name)
		}
		equal(t, x.name, key, x.want)
		if _, ok := NTLMKey(NTHash("password"), challenge, x.m); ok {
			t.Errorf("%s: another password fits", x.name)
		}
	}
	if _, ok := NTLMKey(hash, challenge[:7], ntlmExample(0, "", v2, "")); ok {
		t.Error("a challenge of 7 bytes fits")
	}
}

// No transform header makes the code that opens it fail in another way than with an
// error.
func FuzzOpen(f *testing.F) {
	f.Add(append(unhex("fd534d42"), make([]byte, 80)...), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, kind uint8) {
		c := smb2.Cipher(kind%4 + 1)
		a, err := NewCipher(c, make([]byte, KeySize(c)))
		if err != nil {
			t.Fatal(err)
		}
		var d smb2.Decoder
		cur := wire.New(b, nil)
		if got, err := Open(nil, a, d.Transform(&cur, nil)); err == nil && len(got) > len(b) {
			t.Errorf("%d bytes opened to %d", len(b), len(got))
		}
		for _, s := range []smb2.Signing{smb2.HMACSHA256, smb2.AESCMAC, smb2.AESGMAC} {
			NewSigner(s, make([]byte, 16)).Verify(b)
		}
	})
}
