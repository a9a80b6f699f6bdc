package client

import (
	"errors"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/replay/server"
	"github.com/odxray/odxray/replay/server/servertest"
	"github.com/odxray/odxray/replay/smbdtest"
)

// lab starts the lab server, which is written to the same specification by another hand,
// as what the tests of Samba take.
func lab(t *testing.T, cfg server.Config) *smbdtest.Server {
	t.Helper()
	return &smbdtest.Server{Addr: servertest.Start(t, cfg).Addr, User: servertest.User, Password: servertest.Password}
}

// TestLab is TestSamba without Samba.
func TestLab(t *testing.T) {
	s := lab(t, server.Config{})
	t.Run("dialects", func(t *testing.T) { dialects(t, s, false) })
	t.Run("compound", func(t *testing.T) { compound(t, s) })
	t.Run("async", func(t *testing.T) { async(t, s) })
	t.Run("lock", func(t *testing.T) { locks(t, s) })
	t.Run("parallel", func(t *testing.T) { parallel(t, s) })
	t.Run("break", func(t *testing.T) { breaks(t, s) })
	t.Run("directory", func(t *testing.T) { directory(t, s) })
	t.Run("gone", func(t *testing.T) { vanish(t, s) })
}

// TestLabDemands: what a server demands is done without being asked for.
func TestLabDemands(t *testing.T) {
	signed := login(t, lab(t, server.Config{RequireSigning: true}), &Options{}, Credentials{})
	if !signed.Signs() || signed.Encrypts() {
		t.Errorf("signs %v, encrypts %v", signed.Signs(), signed.Encrypts())
	}
	roundTrip(t, share(t, signed, "share"), "file", 1000)
	sealed := login(t, lab(t, server.Config{Encrypt: true}), &Options{}, Credentials{})
	if !sealed.Encrypts() {
		t.Error("it does not encrypt")
	}
	roundTrip(t, share(t, sealed, "share"), "file", 1000)
	_, err := connect(t, lab(t, server.Config{}).Addr, &Options{}).Login(within(t), &Credentials{User: "lab", Password: "wrong"})
	if status, _ := StatusOf(err); status != ntstatus.LogonFailure {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestLabDrops: the server goes away under a request.
func TestLabDrops(t *testing.T) {
	s := servertest.Start(t, server.Config{})
	session := login(t, &smbdtest.Server{Addr: s.Addr, User: servertest.User, Password: servertest.Password}, &Options{}, Credentials{})
	_, call := watch(t, share(t, session, "share"))
	time.AfterFunc(10*time.Millisecond, s.Stop)
	if a, err := call.Wait(within(t)); err == nil && a.Status == ntstatus.Success || err != nil && !errors.Is(err, ErrClosed) {
		t.Errorf("%v, %+v", err, a)
	}
}
