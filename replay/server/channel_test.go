package server

import (
	"bytes"
	"errors"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/client"
)

// connected is another connection to the server.
func connected(t *testing.T, port string, o client.Options) *client.Conn {
	t.Helper()
	transport, err := client.DialTCP(patient(t), "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Negotiate(patient(t), transport, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var lab = &client.Credentials{User: "lab", Password: "secret"}

// TestChannels: a session goes on over any of its connections, signed with the key of each
// or encrypted, and as long as one is left.
func TestChannels(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialect smb2.Dialect
		encrypt bool
	}{{"3.0 signed", smb2.Dialect300, false}, {"3.1.1 signed", smb2.Dialect311, false}, {"3.1.1 encrypted", smb2.Dialect311, true}} {
		t.Run(c.name, func(t *testing.T) {
			ctx := patient(t)
			_, port := start(t, Config{RequireSigning: !c.encrypt, Encrypt: c.encrypt})
			o := client.Options{ClientGUID: wire.GUID{1}, Dialects: []smb2.Dialect{c.dialect}}
			tree := logOn(t, port, o)
			f := created(t, tree, "f", []byte("one"))
			second, err := tree.Session.Bind(ctx, connected(t, port, o), lab)
			if err != nil {
				t.Fatal(err)
			}
			third, err := second.Bind(ctx, connected(t, port, o), lab)
			if err != nil {
				t.Fatal(err)
			}
			read := func(s *client.Session) {
				t.Helper()
				m := &smb2.ReadRequest{Length: 3, File: f.CreateResponse.File}
				a, err := s.Do(ctx, &client.Request{Command: smb2.Read, TreeID: tree.ID, Body: m.Append(nil)})
				if err != nil || a.Status != ntstatus.Success || !bytes.Contains(a.Message, []byte("one")) {
					t.Fatalf("read: %v, %v", a, err)
				}
			}
			read(second)
			read(third)
			tree.Session.Conn.Close()
			read(second)
			second.Conn.Close()
			read(third)
			if err := third.Logoff(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestChannelsRefused: who does not know the session, its user or its key gets no channel,
// and the session goes on.
func TestChannelsRefused(t *testing.T) {
	ctx := patient(t)
	_, port := start(t, Config{Users: map[string][16]byte{"lab": seal.NTHash("secret"), "other": seal.NTHash("secret")}})
	o := client.Options{ClientGUID: wire.GUID{1}}
	tree := logOn(t, port, o)
	for _, c := range []struct {
		name string
		who  client.Credentials
		want smb2.Status
	}{
		{"password", client.Credentials{User: "lab", Password: "wrong"}, ntstatus.LogonFailure},
		{"user", client.Credentials{User: "other", Password: "secret"}, ntstatus.AccessDenied},
	} {
		_, err := tree.Session.Bind(ctx, connected(t, port, o), &c.who)
		wantStatus(t, c.name, err, c.want)
	}
	// Without a signature, and with that of another session.
	conn := connected(t, port, o)
	m := smb2.SessionSetupRequest{Flags: smb2.SessionBinding}
	own, err := conn.Login(ctx, lab)
	if err != nil {
		t.Fatal(err)
	}
	for _, flags := range []smb2.Flags{0, smb2.FlagSigned} {
		a, err := own.Do(ctx, &client.Request{Command: smb2.SessionSetup, SessionID: tree.Session.ID, Flags: flags, Body: m.Append(nil)})
		if err == nil && !a.Status.IsError() {
			t.Errorf("bound with flags %#x: %v", flags, a.Status)
		}
		if err != nil && !errors.Is(err, client.ErrClosed) { // an answer that pretends to be signed ends the connection
			t.Log(err)
		}
	}
	created(t, tree, "f", nil)
}

// TestManyChannels: a session has 32 connections at most.
func TestManyChannels(t *testing.T) {
	ctx := patient(t)
	_, port := start(t, Config{})
	o := client.Options{ClientGUID: wire.GUID{1}}
	tree := logOn(t, port, o)
	for i := 1; i < maxChannels; i++ {
		if _, err := tree.Session.Bind(ctx, connected(t, port, o), lab); err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
	}
	_, err := tree.Session.Bind(ctx, connected(t, port, o), lab)
	wantStatus(t, "one more", err, ntstatus.InsufficientResources)
}

// TestInterfaces: the server names the address that the client has reached.
func TestInterfaces(t *testing.T) {
	_, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	all := smb2.FileID{}
	for i := range all {
		all[i] = 0xff
	}
	m := &smb2.IoctlRequest{Function: fscc.QueryNetworkInterfaces, File: all, MaxOutput: 4096, Flags: 1}
	a, err := tree.Session.Do(patient(t), &client.Request{Command: smb2.Ioctl, TreeID: tree.ID, Body: m.Append(nil)})
	if err != nil || a.Status != ntstatus.Success {
		t.Fatalf("%v, %v", a, err)
	}
	var d smb2.Decoder
	at := wire.New(a.Message, nil)
	reply, ok := d.Decode(&at, nil).Body.(*smb2.IoctlResponse)
	if !ok {
		t.Fatal("no answer")
	}
	list, ok := reply.Output.(*fscc.InterfacesReply)
	if !ok {
		t.Fatalf("answer %T", reply.Output)
	}
	n := 0
	for i := range list.Each {
		n++
		if i.Address.Addr().String() != "127.0.0.1" || i.Address.Port() != 0 || i.Capabilities != fscc.InterfaceRSS {
			t.Errorf("interface %+v", i)
		}
	}
	if n != 1 {
		t.Errorf("%d interfaces", n)
	}
}
