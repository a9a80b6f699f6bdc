package interop

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	gosmb2 "github.com/cloudsoda/go-smb2"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/server"
)

// TestGoSMB2: a program with cloudsoda's library writes, reads, lists, renames, copies and
// removes, signed in each dialect, and encrypted.
func TestGoSMB2(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialect smb2.Dialect
		encrypt bool
	}{
		{"2.0.2", smb2.Dialect202, false},
		{"2.1", smb2.Dialect210, false},
		{"3.0", smb2.Dialect300, false},
		{"3.0.2 encrypted", smb2.Dialect302, true},
		{"3.1.1", smb2.Dialect311, false},
		{"3.1.1 encrypted", smb2.Dialect311, true},
	} {
		t.Run(c.name, func(t *testing.T) { try(t, c.dialect, c.encrypt) })
	}
}

func try(t *testing.T, dialect smb2.Dialect, encrypt bool) {
	s, err := server.New(server.Config{
		Store: server.NewMemory(64 << 20), Users: map[string][16]byte{"lab": seal.NTHash("secret")},
		RequireSigning: !encrypt, Encrypt: encrypt,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	defer s.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dialer := gosmb2.Dialer{
		Negotiator: gosmb2.Negotiator{SpecifiedDialect: uint16(dialect), RequireMessageSigning: true},
		Initiator:  &gosmb2.NTLMInitiator{User: "lab", Password: "secret"},
	}
	session, err := dialer.Dial(ctx, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer session.Logoff()
	if names, err := session.ListSharenames(); err != nil || strings.Join(names, " ") != "share IPC$" {
		t.Errorf("shares: %v, %v", names, err)
	}
	share, err := session.Mount("share")
	if err != nil {
		t.Fatal(err)
	}
	defer share.Umount()

	data := make([]byte, 3<<20+17)
	r := rand.NewChaCha8([32]byte{})
	r.Read(data)
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	must("mkdir", share.MkdirAll(`a\b`, 0o755))
	must("write", share.WriteFile(`a\b\f`, data, 0o644))
	got, err := share.ReadFile(`a\b\f`)
	must("read", err)
	if !bytes.Equal(got, data) {
		t.Error("what is read is not what was written")
	}
	// io.Copy between two files of a share goes by copychunk.
	from, err := share.Open(`a\b\f`)
	must("open", err)
	to, err := share.Create(`a\copy`)
	must("create", err)
	if n, err := from.WriteTo(to); err != nil || n != int64(len(data)) {
		t.Errorf("copied %d bytes: %v", n, err)
	}
	must("close", from.Close())
	must("close", to.Close())
	got, err = share.ReadFile(`a\copy`)
	must("read", err)
	if !bytes.Equal(got, data) {
		t.Error("the copy differs")
	}
	must("rename", share.Rename(`a\copy`, `a\b\moved`))
	must("truncate", share.Truncate(`a\b\moved`, 100))
	list, err := share.ReadDir(`a\b`)
	must("list", err)
	if len(list) != 2 || list[0].Name() != "f" || list[1].Name() != "moved" || list[1].Size() != 100 {
		t.Errorf("listing: %v", list)
	}
	if _, err := share.Stat("none"); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
	if info, err := share.Statfs("."); err != nil || info.TotalBlockCount() == 0 {
		t.Errorf("statfs: %v, %v", info, err)
	}
	must("remove", share.RemoveAll("a"))
}
