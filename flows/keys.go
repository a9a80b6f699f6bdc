package flows

// Keys for what is signed and encrypted, as people have them: passwords, and what
// servers, clients and Wireshark print of sessions.

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/odxray/odxray/dissect/seal"
)

// Keys are what somebody gave to open a capture with.
type Keys struct {
	hashes   [][16]byte
	services []types.EncryptionKey // of keytabs
	sessions []sessionKeys
}

// sessionKeys are the keys of one session; any but the id may be nil.
type sessionKeys struct {
	id      uint64
	session []byte
	seal.Keys
}

// Empty reports whether there is no key.
func (k *Keys) Empty() bool {
	return k == nil || len(k.hashes)+len(k.services)+len(k.sessions) == 0
}

// AddPassword adds a password of a user who logs in with NTLM.
func (k *Keys) AddPassword(password string) { k.hashes = append(k.hashes, seal.NTHash(password)) }

// AddNTHash adds the NT hash of such a password, in hex.
func (k *Keys) AddNTHash(text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 16 {
		return errors.New("an NT hash has 32 hex digits")
	}
	k.hashes = append(k.hashes, [16]byte(b))
	return nil
}

// AddSessionKey adds a session key in the form SID:KEY, with the session id as odxray
// prints it, and the key in hex.
func (k *Keys) AddSessionKey(text string) error {
	sid, key, found := strings.Cut(text, ":")
	id, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(sid), "0x"), 16, 64)
	b, keyErr := hexKey(key)
	if !found || err != nil || keyErr != nil || b == nil {
		return errors.New("it must be SID:KEY, as in 0x0000040000000001:00112233445566778899aabbccddeeff") // the key itself is not repeated
	}
	k.sessions = append(k.sessions, sessionKeys{id: id, session: b})
	return nil
}

// hexKey reads a key of up to 64 bytes in hex; an empty one, "" or - is nil.
func hexKey(text string) ([]byte, error) {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if text == "" || text == "-" {
		return nil, nil
	}
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(b) > 64 {
		return nil, errors.New("no key in hex")
	}
	return b, nil
}

// maxKeyFile bounds what is read of a file of keys.
const maxKeyFile = 64 << 20

// AddFile adds the keys of a file, the form of which is told by its lines: those of
// Wireshark's smb2_seskey_list; tables that a header line names the columns of; and
// what smbd ("debug encryption = yes"), ksmbd, cifs and "smbinfo keys" print among
// other lines. Lines of no such form are passed over; a file without a key is an error.
func (k *Keys) AddFile(r io.Reader) error {
	p := keyFile{keys: k, columns: columnsOf("session_id cipher signing session_key signing_key app_key c2s_key s2c_key")}
	had := len(k.sessions)
	lines := bufio.NewScanner(io.LimitReader(r, maxKeyFile))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if err := p.line(strings.TrimSpace(lines.Text())); err != nil {
			return fmt.Errorf("line %d: %w", n, err) // not the line: it may hold a key
		}
	}
	p.flush()
	if err := lines.Err(); err != nil {
		return err
	}
	if len(k.sessions) == had {
		return errors.New("it holds no keys: neither lines of Wireshark's smb2_seskey_list, nor a table of keys, nor what servers and clients print of theirs")
	}
	return nil
}

// keyFile reads lines.
type keyFile struct {
	keys    *Keys
	columns map[string]int
	wire    bool // ids in the table are in the order of the wire

	dump   sessionKeys // of the session that a dump is about
	filled *[]byte     // key that the next line of a dump goes on with
	name   string      // of what a dump has on its next line
}

// columnsOf finds the columns that matter by their names.
func columnsOf(header string) map[string]int {
	c := make(map[string]int)
	for i, name := range strings.Fields(header) {
		switch name, _, _ = strings.Cut(strings.ToLower(name), "("); name {
		case "session_id", "session_key", "signing_key":
			c[name] = i
		case "c2s_key", "client_to_server_key":
			c["c2s_key"] = i
		case "s2c_key", "server_to_client_key":
			c["s2c_key"] = i
		}
	}
	return c
}

func (p *keyFile) line(s string) error {
	switch {
	case s == "":
		return nil
	case strings.HasPrefix(s, "#"):
		p.header(s)
		return nil
	case p.dumped(s):
		return nil
	case strings.Contains(s, ","):
		return p.wireshark(s)
	}
	return p.row(strings.Split(s, "\t"))
}

// header takes the names of a table's columns, which tabs separate.
func (p *keyFile) header(s string) {
	names := strings.Split(strings.TrimSpace(strings.TrimLeft(s, "# ")), "\t")
	for i, name := range names {
		if first, _, _ := strings.Cut(name, " "); first == "session_id" {
			p.wire = strings.Contains(name, "wire")
		}
		names[i], _, _ = strings.Cut(name, " ")
	}
	if c := columnsOf(strings.Join(names, " ")); len(c) > 1 {
		p.columns = c
	}
}

// row reads a row of a table.
func (p *keyFile) row(cells []string) error {
	at, ok := p.columns["session_id"]
	if !ok || at >= len(cells) {
		return nil
	}
	b, err := hex.DecodeString(cells[at])
	if err != nil || len(b) != 8 {
		return nil // a line of something else
	}
	s := sessionKeys{id: bigEndian(b)}
	if p.wire {
		s.id = bits.ReverseBytes64(s.id)
	}
	for name, key := range map[string]*[]byte{"session_key": &s.session, "signing_key": &s.Signing, "c2s_key": &s.ClientToServer, "s2c_key": &s.ServerToClient} {
		if i, ok := p.columns[name]; ok && i < len(cells) {
			if *key, err = hexKey(cells[i]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	p.add(s)
	return nil
}

// wireshark reads a line of smb2_seskey_list: session id, session key, the server's
// key, the client's.
func (p *keyFile) wireshark(s string) error {
	_, list, found := strings.Cut(s, "smb2_seskey_list:")
	if !found {
		list = s
	}
	cells := strings.Split(strings.Trim(list, `'`), ",")
	id, err := hex.DecodeString(strings.Trim(strings.TrimSpace(cells[0]), `"`))
	if err != nil || len(id) != 8 || len(cells) > 4 {
		return nil // a line of something else
	}
	x := sessionKeys{id: bits.ReverseBytes64(bigEndian(id))}
	for i, key := range []*[]byte{&x.session, &x.ServerToClient, &x.ClientToServer} {
		if i+1 < len(cells) {
			if *key, err = hexKey(cells[i+1]); err != nil {
				return err
			}
		}
	}
	p.add(x)
	return nil
}

func bigEndian(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

// add keeps what holds a key.
func (p *keyFile) add(s sessionKeys) {
	if len(s.session)+len(s.Signing)+len(s.ClientToServer)+len(s.ServerToClient) > 0 {
		p.keys.sessions = append(p.keys.sessions, s)
	}
}

// flush ends the session that a dump is about.
func (p *keyFile) flush() {
	p.add(p.dump)
	p.dump, p.filled = sessionKeys{}, nil
}

// lower returns s with small ASCII letters, every byte where it was: strings.ToLower
// makes three bytes of one that is no UTF-8.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// dumped reads a line of a dump, a name and bytes in hex:
//
//	Session Id    [0000] FB CB 70 3B 00 00 00 00                            ..p;....
//	Session Key   [0000] 47 95 FD 84 A8 A9 AE 98   E6 93 E3 C4 56 D4 1A 27   G....... ....V..'
//	ServerIn Key  f8 f4 72 ad 25 c6 98 c5 e5 a1 e6 ab 69 39 87 e5
//
// ksmbd prints the id as a decimal number. Anything may stand before the name.
func (p *keyFile) dumped(s string) bool {
	if p.name != "" && strings.HasPrefix(s, "[0000]") {
		s = p.name + s
	}
	p.name = ""
	name := lower(s)
	for _, l := range []struct {
		name string
		key  *[]byte
	}{
		{"session id", nil}, {"session key", &p.dump.session}, {"signing key", &p.dump.Signing},
		{"serverin key", &p.dump.ClientToServer}, {"serverout key", &p.dump.ServerToClient},
		{"server encryption key", &p.dump.ServerToClient}, {"server decryption key", &p.dump.ClientToServer},
	} {
		i := strings.Index(name, l.name)
		if i < 0 {
			continue
		}
		rest := strings.TrimLeft(s[i+len(l.name):], " \t:")
		if rest == "" {
			p.name = s
			return true
		}
		if l.key == nil {
			return p.dumpedID(rest)
		}
		b := dumpedBytes(rest, 64)
		if len(b) < 8 {
			return false
		}
		if *l.key != nil && !bytes.HasPrefix(*l.key, b) { // of another channel
			id := p.dump.id
			p.flush()
			p.dump.id = id
		}
		*l.key, p.filled = b, l.key
		return true
	}
	// The second line of a key.
	if p.filled != nil && strings.HasPrefix(s, "[0010]") && len(*p.filled) == 16 {
		*p.filled = append(*p.filled, dumpedBytes(s, 16)...)
		p.filled = nil
		return true
	}
	return false
}

// dumpedID begins another session; ksmbd says its id again before each pair of keys.
func (p *keyFile) dumpedID(text string) bool {
	var id uint64
	if b := dumpedBytes(text, 8); len(b) == 8 {
		id = bits.ReverseBytes64(bigEndian(b))
	} else {
		word, _, _ := strings.Cut(text, " ")
		n, err := strconv.ParseUint(word, 0, 64)
		if err != nil {
			return false
		}
		id = n
	}
	if id != p.dump.id || p.dump.ServerToClient != nil {
		p.flush()
	}
	p.dump.id, p.filled = id, nil
	return true
}

// dumpedBytes reads pairs of hex digits, 16 a line, up to the first word that is none.
func dumpedBytes(s string, most int) []byte {
	var b []byte
	if strings.HasPrefix(s, "[") {
		_, s, _ = strings.Cut(s, "]")
		most = min(most, 16) // what follows is the same as text
	}
	for _, word := range strings.Fields(s) {
		x, err := hex.DecodeString(word)
		if err != nil || len(b)+len(x) > most || len(x) == 0 {
			break
		}
		b = append(b, x...)
	}
	return b
}

// of yields the keys given for a session.
func (k *Keys) of(id uint64) (list []sessionKeys) {
	for i := range k.sessions {
		s := &k.sessions[i]
		if s.id != id {
			continue
		}
		same := false // as one that is listed
		for _, t := range list {
			same = same || bytes.Equal(t.session, s.session) && bytes.Equal(t.Signing, s.Signing) &&
				bytes.Equal(t.ClientToServer, s.ClientToServer) && bytes.Equal(t.ServerToClient, s.ServerToClient)
		}
		if !same {
			list = append(list, *s)
		}
	}
	return list
}
