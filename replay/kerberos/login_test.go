package kerberos

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

const conf = `includedir /etc/krb5.conf.d/
[libdefaults]
 default_realm = LAB.TEST
 default_ccache_name = KEYRING:persistent:%{uid}
[realms]
 LAB.TEST = {
  kdc = 127.0.0.1:1
 }
`

// write writes a file of a test, and returns its name.
func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A realm is what krb5.conf knows, or at least could be one.
func TestRealm(t *testing.T) {
	c, err := configuration(write(t, "krb5.conf", []byte(conf)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "LAB.TEST", "LAB": "LAB.TEST", "lab.test": "LAB.TEST", "WORKGROUP": "LAB.TEST", "other.example": "OTHER.EXAMPLE"} {
		if got := realmOf(c, name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestFileOf(t *testing.T) {
	for name, want := range map[string]string{"dir/cc": "dir/cc", "FILE:dir/cc": "dir/cc", "WRFILE:k": "k", `C:\cc`: `C:\cc`, "a:b": "a:b", "KCM:0": "", "KEYRING:persistent:0": "", "API:x": ""} {
		if got, err := fileOf(name, "credential cache"); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// What is missing is said in one line.
func TestOpenFails(t *testing.T) {
	c := write(t, "krb5.conf", []byte(conf))
	for want, s := range map[string]Source{
		"neither a credential cache nor":    {Name: "user"},
		"names no user":                     {Password: "x"},
		"no such file":                      {Cache: "/nonexistent/cc"},
		"is no credential cache":            {Cache: c},
		"holds no keys":                     {Keytab: c},
		"names no KDC of":                   {Name: "u@ELSEWHERE", Password: "x"},
		"is of user@LAB.TEST, not of other": {Cache: write(t, "cc", cache(time.Now().Add(time.Hour))), Name: "other"},
	} {
		s.Config = c
		if _, err := Open(s); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q, want %q", err, want)
		}
	}
	if _, err := Open(Source{Name: "u", Password: "x", Config: write(t, "krb5.conf", []byte("[libdefaults]\n"))}); err == nil || !strings.Contains(err.Error(), "realm is unknown") {
		t.Errorf("without a realm: %v", err)
	}
}

// cache is a credential cache, version 4, of a ticket for cifs/server that is good until
// then. MIT's ccache_file_format
func cache(until time.Time) []byte {
	be := binary.BigEndian
	data := func(b []byte, s string) []byte { return append(be.AppendUint32(b, uint32(len(s))), s...) }
	principal := func(b []byte, realm string, names ...string) []byte {
		b = be.AppendUint32(be.AppendUint32(b, 1), uint32(len(names)))
		b = data(b, realm)
		for _, n := range names {
			b = data(b, n)
		}
		return b
	}
	ticket := messages.Ticket{TktVNO: 5, Realm: "LAB.TEST", SName: types.PrincipalName{NameType: 2, NameString: []string{"cifs", "server"}},
		EncPart: types.EncryptedData{EType: 18, KVNO: 1, Cipher: make([]byte, 64)}}
	raw, err := ticket.Marshal()
	if err != nil {
		panic(err)
	}
	b := principal([]byte{5, 4, 0, 0}, "LAB.TEST", "user")
	b = principal(b, "LAB.TEST", "user")
	b = principal(b, "LAB.TEST", "cifs", "server")
	b = data(be.AppendUint16(b, 18), strings.Repeat("k", 32))
	for range 4 { // times; the third is the end
		b = be.AppendUint32(b, uint32(until.Unix()))
	}
	b = append(b, 0)          // is_skey
	b = append(b, 0, 0, 0, 0) // flags
	b = be.AppendUint32(b, 0) // addresses
	b = be.AppendUint32(b, 0) // authorization data
	b = data(b, string(raw))  // ticket
	return data(b, "")        // second ticket
}

// A cache with a ticket for the service does without a KDC; one that is over does not.
func TestCache(t *testing.T) {
	c := write(t, "krb5.conf", []byte(conf))
	u, err := Open(Source{Cache: write(t, "cc", cache(time.Now().Add(time.Hour))), Config: c})
	if err != nil {
		t.Fatal(err)
	}
	if u.Name() != "user@LAB.TEST" {
		t.Error(u.Name())
	}
	g, err := u.Initiate(t.Context(), "cifs/server")
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Request()) < 100 || len(g.Key()) != 32 {
		t.Errorf("%d bytes of AP-REQ, %d of key", len(g.Request()), len(g.Key()))
	}
	if g.Accept([]byte("rubbish")) == nil || g.Verify([]byte("rubbish"), []byte("list")) {
		t.Error("rubbish is taken")
	}
	if mic := g.MIC([]byte("list")); len(mic) != 28 || g.Verify(mic, []byte("list")) {
		t.Errorf("the client's signature, of %d bytes, is taken for the server's", len(mic))
	}
	if u, err = Open(Source{Cache: write(t, "old", cache(time.Now().Add(-time.Hour))), Config: c}); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Initiate(t.Context(), "cifs/server"); err == nil || !strings.Contains(err.Error(), "kinit") {
		t.Errorf("a ticket that is over: %v", err)
	}
}

// TestCachePrefixes: a cache that was cut, wherever, is an error or holds less.
func TestCachePrefixes(t *testing.T) {
	b, c := cache(time.Now().Add(time.Hour)), write(t, "krb5.conf", []byte(conf))
	for n := range b {
		if u, err := Open(Source{Cache: write(t, "cc", b[:n]), Config: c}); err == nil {
			if _, err := u.Initiate(t.Context(), "cifs/server"); err == nil {
				t.Fatalf("%d of %d bytes hold a ticket", n, len(b))
			}
		}
	}
}

// FuzzCache: no cache, whatever is in it, does harm.
func FuzzCache(f *testing.F) {
	good := cache(time.Now().Add(time.Hour))
	f.Add(good)
	f.Add([]byte{5, 3, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if !sound(b) {
			return
		}
		c := new(credentials.CCache)
		_ = shielded(func() error { return c.Unmarshal(slices.Clip(b)) })
	})
}

// A cache is sound if all that it counts is there; the library takes that on trust.
func TestSound(t *testing.T) {
	good := cache(time.Now().Add(time.Hour))
	change := func(at int, v uint32) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint32(b[at:], v)
		return b
	}
	ticket := bytes.LastIndex(good, []byte{0x61, 0x81}) // [APPLICATION 1]
	if !sound(good) || ticket < 0 {
		t.Fatal("a cache is not taken for one")
	}
	for name, b := range map[string][]byte{
		"a long ticket": change(ticket-4, 0x7fffffff), "authorization data": change(ticket-8, 0x7fffffff), "addresses": change(ticket-12, 0x7fffffff),
		"parts of a name": change(8, 0x7fffffff), "version 2": append([]byte{5, 2}, good[2:]...), "nothing": nil, "text": []byte(conf),
	} {
		if sound(b) {
			t.Errorf("%s: it is taken", name)
		}
	}
	whole := 0
	for n := range good {
		if sound(good[:n]) {
			whole++ // the principal alone: no entry
		}
	}
	if whole != 1 {
		t.Errorf("%d parts of a cache are taken for one", whole)
	}
}
