//go:build linux

package kerberos

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/smbdtest"
)

func within(t *testing.T) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	return ctx
}

// TestDC logs in at a domain controller of Samba's: with a password, a keytab and a
// credential cache, in every dialect, encrypted and not, on a second connection, and anew.
func TestDC(t *testing.T) {
	dc := smbdtest.StartDC(t)
	cache := filepath.Join(t.TempDir(), "cache")
	sources := map[string]Source{
		"password":         {Name: dc.User, Password: dc.Password},
		"password@realm":   {Name: dc.User + "@" + dc.Realm, Password: dc.Password},
		"password, domain": {Name: dc.User, Realm: "LAB", Password: dc.Password},
		"keytab":           {Keytab: dc.Keytab(t)},
	}
	if kinit, err := exec.LookPath("kinit"); err != nil {
		t.Log("without a credential cache: no kinit (Debian's package krb5-user)")
	} else {
		c := exec.Command(kinit, "-c", "FILE:"+cache, dc.User)
		c.Env = append(c.Environ(), "KRB5_CONFIG="+dc.Config)
		c.Stdin = strings.NewReader(dc.Password + "\n")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("kinit: %v\n%s", err, out)
		}
		sources["cache"] = Source{Cache: "FILE:" + cache}
		sources["cache of the user"] = Source{Cache: cache, Name: dc.User, Password: "wrong"}
	}
	for name, s := range sources {
		t.Run(name, func(t *testing.T) {
			u := opened(t, dc, s)
			if got, want := u.Name(), dc.User+"@"+dc.Realm; got != want {
				t.Errorf("the user is %s, want %s", got, want)
			}
			written(t, login(t, dc, &client.Options{}, &client.Credentials{Kerberos: u}))
		})
	}
	u := opened(t, dc, sources["password"])
	for name, o := range map[string]client.Options{
		"2.0.2": {Dialects: []smb2.Dialect{smb2.Dialect202}, Mode: smb2.SigningRequired},
		"2.1":   {Dialects: []smb2.Dialect{smb2.Dialect210}, Mode: smb2.SigningRequired},
		"3.0":   {Dialects: []smb2.Dialect{smb2.Dialect300}},
		"CMAC":  {Signings: []smb2.Signing{smb2.AESCMAC}, Mode: smb2.SigningRequired},
		"GMAC":  {Signings: []smb2.Signing{smb2.AESGMAC}, Mode: smb2.SigningRequired},
		"256":   {Ciphers: []smb2.Cipher{smb2.AES256GCM}},
	} {
		t.Run(name, func(t *testing.T) {
			encrypt := len(o.Dialects) == 0 || o.Dialects[0] >= smb2.Dialect300
			s := login(t, dc, &o, &client.Credentials{Kerberos: u, Encrypt: encrypt && o.Mode == 0})
			written(t, s)
		})
	}
	for _, etype := range []string{"aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96", "arcfour-hmac-md5"} {
		t.Run(etype, func(t *testing.T) {
			b, err := os.ReadFile(dc.Config)
			if err != nil {
				t.Fatal(err)
			}
			s := sources["password"]
			s.Config = write(t, "krb5.conf", bytes.Replace(b, []byte("[libdefaults]\n"), []byte("[libdefaults]\n default_tkt_enctypes = "+etype+"\n default_tgs_enctypes = "+etype+"\n"), 1))
			u, err := Open(s)
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			g, err := u.Initiate(within(t), "cifs/localhost")
			if want := map[bool]int{true: 32, false: 16}[etype[:6] == "aes256"]; err != nil || len(g.Key()) != want {
				t.Fatalf("%v: a key of %d bytes, want %d", err, len(g.Key()), want)
			}
			written(t, login(t, dc, &client.Options{Mode: smb2.SigningRequired}, &client.Credentials{Kerberos: u}))
		})
	}
	t.Run("bound", func(t *testing.T) {
		s := login(t, dc, &client.Options{}, &client.Credentials{Kerberos: u})
		second := connected(t, dc, &client.Options{ClientGUID: s.Conn.ClientGUID})
		bound, err := s.Bind(within(t), second, &client.Credentials{Kerberos: u})
		if err != nil {
			t.Fatal(err)
		}
		if bound.ID != s.ID {
			t.Errorf("session %x on one connection, %x on the other", s.ID, bound.ID)
		}
		written(t, bound)
	})
	for name, who := range map[string]client.Credentials{"signed": {Sign: true}, "encrypted": {Encrypt: true}, "plain": {}} {
		t.Run("anew, "+name, func(t *testing.T) {
			who.Kerberos = u
			s := login(t, dc, &client.Options{}, &who)
			if err := s.Reauthenticate(within(t), &who); err != nil {
				t.Fatal(err)
			}
			written(t, s)
		})
	}
	t.Run("replay", func(t *testing.T) { replayed(t, dc, u) })
	t.Run("refusals", func(t *testing.T) { refusals(t, dc, u) })
}

// replayed: a whole capture replays with tickets alone, and every answer is the same.
func replayed(t *testing.T, dc *smbdtest.DC, u *User) {
	c, err := flows.Open([]string{filepath.Join("..", "testdata", "scopy_50m.pcap")}, flows.Options{Index: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Run(within(t)); err != nil {
		t.Fatal(err)
	}
	p, err := replay.Extract(c)
	if err != nil {
		t.Fatal(err)
	}
	o := replay.Options{Kerberos: u, Target: replay.Target{Address: dc.Addr, Host: "localhost", Share: smbdtest.Shared, Dir: "replay"}}
	r, err := replay.At(within(t), p, o, p.Manifest(), true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Outcomes {
		// A domain controller knows referrals where a server alone knows none.
		s, o := &p.Steps[i], &r.Outcomes[i]
		if o.Verdict != replay.Same && s.Exchange.Function != fscc.DFSGetReferrals {
			t.Errorf("step %d, %s: %v %s %v", s.ID, s.Header.Command.Name(), o.Verdict, o.Reason, o.Differences)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dc.Dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// refusals: what a KDC refuses is said in its words.
func refusals(t *testing.T, dc *smbdtest.DC, u *User) {
	for want, s := range map[string]Source{
		"KDC_ERR_PREAUTH_FAILED":                   {Name: dc.User, Password: "wrong"},
		"KDC_ERR_C_PRINCIPAL_UNKNOWN":              {Name: "nobody-here", Password: "x"},
		"krb5.conf names no KDC of ELSEWHERE.TEST": {Name: dc.User + "@ELSEWHERE.TEST", Password: "x"},
	} {
		s.Config = dc.Config
		if _, err := Open(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := u.Initiate(within(t), "cifs/elsewhere"); err == nil || !strings.Contains(err.Error(), "KDC_ERR_S_PRINCIPAL_UNKNOWN") {
		t.Errorf("a service that is unknown: %v", err)
	}
	gone, stop := context.WithCancel(context.Background())
	stop()
	if _, err := u.Initiate(gone, "cifs/dc1"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func opened(t *testing.T, dc *smbdtest.DC, s Source) *User {
	t.Helper()
	s.Config = dc.Config
	u, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

func connected(t *testing.T, dc *smbdtest.DC, o *client.Options) *client.Conn {
	t.Helper()
	tr, err := client.DialTCP(within(t), dc.Addr)
	if err != nil {
		t.Fatal(err)
	}
	o.ServerName = "localhost"
	c, err := client.Negotiate(within(t), tr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func login(t *testing.T, dc *smbdtest.DC, o *client.Options, who *client.Credentials) *client.Session {
	t.Helper()
	s, err := connected(t, dc, o).Login(within(t), who)
	if err != nil {
		t.Fatal(err)
	}
	if s.Encrypts() != who.Encrypt {
		t.Errorf("encrypts %v, want %v", s.Encrypts(), who.Encrypt)
	}
	return s
}

// written: a session that has its keys right makes a file and removes it.
func written(t *testing.T, s *client.Session) {
	t.Helper()
	tree, err := s.TreeConnect(within(t), `\\localhost\`+smbdtest.Shared)
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Mkdir(within(t), "made"); err != nil {
		t.Fatal(err)
	}
	if err := tree.Remove(within(t), "made"); err != nil {
		t.Fatal(err)
	}
}
