package flows

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/flowtest"
)

var (
	testKey  = []byte("0123456789abcdef")
	otherKey = []byte("fedcba9876543210")
)

// sealedWith encrypts every message of a session.
func sealedWith(session uint64, k seal.Keys, kind smb2.Cipher) func([]byte) []byte {
	return sealedAround(session, k, kind, bytes.Clone)
}

// sealedAround is sealedWith of what wrap makes of the message.
func sealedAround(session uint64, k seal.Keys, kind smb2.Cipher, wrap func([]byte) []byte) func([]byte) []byte {
	nonce := byte(0)
	return func(m []byte) []byte {
		key := k.ClientToServer
		if m[16]&1 != 0 {
			key = k.ServerToClient
		}
		a, err := seal.NewCipher(kind, key)
		if err != nil {
			panic(err)
		}
		m = wrap(m)
		nonce++
		h := make([]byte, 52)
		copy(h, "\xfdSMB")
		h[20] = nonce
		binary.LittleEndian.PutUint32(h[36:], uint32(len(m)))
		h[42] = 1
		binary.LittleEndian.PutUint64(h[44:], session)
		b := a.Seal(nil, h[20:20+a.NonceSize()], m, h[20:])
		copy(h[4:20], b[len(m):])
		return append(h, b[:len(m)]...)
	}
}

// keysOf makes Keys of lines of a file of keys, or of a password.
func keysOf(lines string) *Keys {
	k := new(Keys)
	if lines == "" {
		return nil
	}
	if password, ok := strings.CutPrefix(lines, "password "); ok {
		k.AddPassword(password)
		return k
	}
	if err := k.AddFile(strings.NewReader(lines)); err != nil {
		panic(err)
	}
	return k
}

// analysed analyses a capture.
func analysed(c *flowtest.Capture, k *Keys) (*Analyzer, *Results) {
	a := NewAnalyzer(Options{Keys: k})
	for i := range c.Packets {
		a.Packet(&c.Packets[i])
	}
	a.Flush()
	return a, a.Results()
}

func TestUnseal(t *testing.T) {
	keys := seal.Derive(smb2.Dialect302, smb2.AES128CCM, testKey, nil)
	c2s, s2c := hex.EncodeToString(keys.ClientToServer), hex.EncodeToString(keys.ServerToClient)
	const id = 0x100000000001
	const wireID = "0100000000100000"
	login := func(c *flowtest.Capture) *flowtest.Client {
		s := c.Login("10.0.0.1:50000", "10.0.0.9:445", `\\server\share`)
		s.Session = id
		s.Wrap = sealedWith(id, keys, smb2.AES128CCM)
		return s
	}
	late := func(c *flowtest.Capture) *flowtest.Client {
		s := c.Late("10.0.0.1:50000", "10.0.0.9:445")
		s.Wrap = sealedWith(id, keys, smb2.AES128CCM)
		return s
	}
	ask := func(s *flowtest.Client) {
		f := s.Open("file", 100)
		s.Read(f, 0, bytes.Repeat([]byte("x"), 20000))
		s.Close(f)
	}
	for _, x := range []struct {
		name    string
		keys    string
		write   func(c *flowtest.Capture)
		opened  int // of 6 messages
		origin  string
		trouble string
	}{
		{"session key", wireID + "," + hex.EncodeToString(testKey), func(c *flowtest.Capture) { ask(login(c)) }, 6, "session key", ""},
		{"direction keys", wireID + `,"",` + s2c + "," + c2s, func(c *flowtest.Capture) { ask(login(c)) }, 6, "direction keys", ""},
		{"swapped", wireID + `,"",` + c2s + "," + s2c, func(c *flowtest.Capture) { ask(login(c)) }, 6, "direction keys, given in the other order", ""},
		{"one direction", wireID + `,"",` + s2c + `,""`, func(c *flowtest.Capture) { ask(login(c)) }, 3, "direction keys",
			"the key of one direction was given, and 3 messages went the other way"},
		{"session key, late", wireID + "," + hex.EncodeToString(testKey), func(c *flowtest.Capture) { ask(late(c)) }, 6, "session key", ""},
		{"wrong key", wireID + "," + hex.EncodeToString(otherKey), func(c *flowtest.Capture) { ask(login(c)) }, 0, "",
			"a key was given, but the tags say that it is wrong"},
		{"key of another session", "0200000000100000," + hex.EncodeToString(testKey), func(c *flowtest.Capture) { ask(login(c)) }, 0, "",
			"no key for this session was given, only for others"},
		{"no key", "", func(c *flowtest.Capture) { ask(login(c)) }, 0, "", "no key was given"},
		{"session key of 3.1.1, late", wireID + "," + hex.EncodeToString(testKey), func(c *flowtest.Capture) {
			s := late(c)
			s.Wrap = sealedWith(id, seal.Derive(smb2.Dialect311, smb2.AES128GCM, testKey, new(seal.Preauth)), smb2.AES128GCM)
			ask(s)
		}, 0, "", "its set-up is not in the capture: the session key is wrong, or of dialect 3.1.1, where it opens nothing without that: give the keys of the two directions"},
		{"password, late", "password secret", func(c *flowtest.Capture) { ask(late(c)) }, 0, "",
			"its set-up is not in the capture, and without that a password or keytab opens nothing"},
		{"password, late, large messages only", "password secret", func(c *flowtest.Capture) {
			s := late(c)
			s.Mute = true
			s.Write(flowtest.File{}, 0, make([]byte, 20000))
		}, 0, "", "its set-up is not in the capture, and without that a password or keytab opens nothing"},
		{"damaged", wireID + "," + hex.EncodeToString(testKey), func(c *flowtest.Capture) {
			s := login(c)
			f := s.Open("file", 100)
			seal := s.Wrap
			s.Wrap = func(m []byte) []byte { b := seal(m); b[60] ^= 1; return b }
			s.Close(f)
			s.Wrap = seal
			s.Open("other", 100)
		}, 4, "session key", "2 of its messages have a wrong tag although the key opens others: they are damaged"},
		{"cut", wireID + "," + hex.EncodeToString(testKey), func(c *flowtest.Capture) {
			s := login(c)
			s.Open("file", 100)
			s.Open("other", 100)
			p := &c.Packets[len(c.Packets)-1]
			p.Data = p.Data[:len(p.Data)-1]
		}, 3, "session key", "1 of its encrypted messages were not captured whole"},
		{"unknown cipher", wireID + "," + hex.EncodeToString(testKey), func(c *flowtest.Capture) {
			s := late(c)
			encrypt := s.Wrap
			s.Wrap = nil
			s.Call(0, negotiateWith(9), negotiateAnswer(9))
			s.Wrap = encrypt
			s.Open("file", 100)
		}, 0, "", "its cipher 0x0009 is unknown"},
	} {
		t.Run(x.name, func(t *testing.T) {
			var c flowtest.Capture
			x.write(&c)
			_, r := analysed(&c, keysOf(x.keys))
			i := slices.IndexFunc(r.Sessions, func(s Session) bool { return s.ID == id })
			if i < 0 {
				t.Fatalf("no session %#x among %+v", id, r.Sessions)
			}
			s := &r.Sessions[i]
			if s.Decrypted != x.opened || s.KeyOrigin != x.origin || s.Trouble != x.trouble {
				t.Errorf("%d of %d decrypted by %q, trouble %q", s.Decrypted, s.Encrypted, s.KeyOrigin, s.Trouble)
			}
			closed := 0
			for _, conn := range r.Connections {
				closed += conn.Encrypted
			}
			if closed != s.Encrypted-s.Decrypted || r.Incomplete != (closed > 0) {
				t.Errorf("%d messages are called encrypted; incomplete: %v", closed, r.Incomplete)
			}
		})
	}
}

// negotiateWith and its answer are NEGOTIATE of 3.1.1 with a choice of ciphers.
func negotiateWith(kind byte) []byte {
	b := append([]byte{36, 0, 1, 0, 1}, make([]byte, 31)...)
	b[28], b[32] = 104, 1
	return append(append(b, 0x11, 3, 0, 0), cipherContext(kind)...)
}

func negotiateAnswer(kind byte) []byte {
	b := append([]byte{65, 0, 1, 0, 0x11, 3, 1, 0}, make([]byte, 56)...)
	b[60] = 128
	return append(b, cipherContext(kind)...)
}

func cipherContext(kind byte) []byte { return []byte{2, 0, 4, 0, 0, 0, 0, 0, 1, 0, kind, 0} }

// What was encrypted is in every result as what was not.
func TestSealedAsPlain(t *testing.T) {
	keys := seal.Derive(smb2.Dialect302, smb2.AES128CCM, testKey, nil)
	tell := func(wrapped bool) string {
		var c flowtest.Capture
		s := c.Login("10.0.0.1:50000", "10.0.0.9:445", `\\server\share`)
		if wrapped {
			s.Wrap = sealedWith(s.Session, keys, smb2.AES128CCM)
		}
		src := s.Open("src", 1<<20)
		dst := s.New("dst")
		token := flowtest.NewToken(1)
		s.OffloadRead(src, 0, 1<<20, 1<<20, token)
		s.OffloadWrite(dst, 0, 1<<20, 0, token, 1<<20)
		s.Write(dst, 0, make([]byte, 100000))
		_, r := analysed(&c, keysOf(fmt.Sprintf("%016x,%x", swap(s.Session), testKey)))
		return fmt.Sprint(r.Messages, r.Exchanges, r.Opens, len(r.Mints), r.Copies[0].Bytes, r.Copies[0].Method, r.Copies[0].Destination.Path, r.Problems)
	}
	if plain, sealed := tell(false), tell(true); plain != sealed {
		t.Errorf("plain:  %s\nsealed: %s", plain, sealed)
	}
}

func swap(v uint64) uint64 {
	return binary.BigEndian.Uint64(binary.LittleEndian.AppendUint64(nil, v))
}

func TestSignatures(t *testing.T) {
	signing := seal.Derive(smb2.Dialect302, 0, testKey, nil).Signing
	signed := func(m []byte) []byte {
		m[16] |= byte(smb2.FlagSigned)
		sig := seal.NewSigner(smb2.AESCMAC, signing).Sign(m)
		copy(m[48:], sig[:])
		return m
	}
	for _, x := range []struct {
		name       string
		key        []byte
		write      func(s *flowtest.Client) []int // frames of wrong signatures
		verified   int
		unverified int
	}{
		{"all right", testKey, func(s *flowtest.Client) []int { s.Open("a", 1); return nil }, 2, 0},
		{"large", testKey, func(s *flowtest.Client) []int { s.Write(s.Open("a", 1), 0, make([]byte, 30000)); return nil }, 4, 0},
		{"wrong key", otherKey, func(s *flowtest.Client) []int { s.Open("a", 1); return nil }, 0, 2},
		{"one changed", testKey, func(s *flowtest.Client) []int {
			s.Open("a", 1)
			s.Wrap = func(m []byte) []byte { m = signed(m); m[70] ^= 1; return m }
			s.Mute = true
			s.Open("b", 1)
			return []int{s.Request}
		}, 2, 0},
		{"interim answer", testKey, func(s *flowtest.Client) []int {
			s.Wrap = func(m []byte) []byte {
				if m = signed(m); m[8] == 3 {
					m[50] ^= 1
				}
				return m
			}
			s.Pending = true
			s.Open("a", 1)
			return nil
		}, 2, 0},
		{"nobody asked", testKey, func(s *flowtest.Client) []int {
			s.Open("a", 1)
			s.Wrap = func(m []byte) []byte { m = signed(m); m[50] ^= 1; return m }
			s.Tell(18, append([]byte{24, 0}, make([]byte, 22)...))
			return nil
		}, 2, 0},
		{"the request's own signature", testKey, func(s *flowtest.Client) []int {
			var last []byte
			s.Wrap = func(m []byte) []byte {
				if m = signed(m); m[16]&1 != 0 {
					copy(m[48:64], last)
				}
				last = bytes.Clone(m[48:64])
				return m
			}
			s.Status = flowtest.InvalidRequest
			s.Open("a", 1)
			return nil
		}, 1, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			var c flowtest.Capture
			s := c.Login("10.0.0.1:50000", "10.0.0.9:445", `\\server\share`)
			s.Wrap = signed
			bad := x.write(s)
			_, r := analysed(&c, keysOf(fmt.Sprintf("%016x,%x", swap(s.Session), x.key)))
			got := &r.Sessions[0]
			if got.Verified != x.verified || got.Unverified != x.unverified || !slices.Equal(got.BadSignatures, bad) {
				t.Errorf("%d verified, %d that no key fits, wrong in %v", got.Verified, got.Unverified, got.BadSignatures)
			}
		})
	}
}

// Without a key nothing is gathered or computed that was not before.
func TestNoKeyNoCost(t *testing.T) {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.9:445", `\\server\share`)
	s.Wrap = sealedWith(s.Session, seal.Derive(smb2.Dialect302, 0, testKey, nil), smb2.AES128CCM)
	for range 3 {
		s.Read(s.Open("a", 1), 0, make([]byte, 1<<20))
	}
	a, r := analysed(&c, nil)
	if n := cap(a.scratch); n > 0 || r.Sessions[0].Decrypted > 0 {
		t.Errorf("%d bytes of scratch", n)
	}
	for _, conn := range a.byID {
		for dir := range conn.streams {
			if n := cap(conn.streams[dir].buf); n > 4*headLen {
				t.Errorf("%d bytes gathered of a message without a key", n)
			}
		}
	}
}

// FuzzSealed does what FuzzAnalyzer does to a session that passwords and keys are for:
// its set-up, what is signed, encrypted and compressed.
func FuzzSealed(f *testing.F) {
	keys := keysOf(fmt.Sprintf("0100000000100000,%x\nfbcb703b00000000,%x", testKey, otherKey))
	keys.AddPassword("Passw0rd!")
	direction := seal.Derive(smb2.Dialect302, 0, testKey, nil)
	for _, wrap := range []func([]byte) []byte{bytes.Clone, chained, sealedWith(0x100000000001, direction, smb2.AES128CCM),
		sealedAround(0x100000000001, direction, smb2.AES128GCM, chained)} {
		var c flowtest.Capture
		s := c.Login("10.0.0.1:50000", "10.0.0.2:445", "share")
		s.Session = 0x100000000001
		s.Wrap = wrap
		s.Read(s.Open("file", 1), 0, make([]byte, 100))
		var input []byte
		for i := range c.Packets {
			if b := c.Packets[i].Data[54:]; len(b) > 0 {
				input = append(binary.LittleEndian.AppendUint16(append(input, c.Packets[i].Data[35]&1), uint16(len(b))), b...)
			}
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) { lookTwice(t, input, keys) })
}
