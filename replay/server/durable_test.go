package server

import (
	"bytes"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/client"
)

// TestDurable: an open whose connection is lost waits for its client, who must be the same
// and ask with the same keys; another's open ends it.
func TestDurable(t *testing.T) {
	guid := wire.GUID{7}
	v2 := append(wire.AppendZeros(nil, 16), guid[:]...)
	again := func(id smb2.FileID) []byte { return append(id[:], guid[:]...) }
	for _, c := range []struct {
		name, ask, back string
		data            []byte
		lease           *smb2.Lease
	}{
		{"oplock", "DHnQ", "DHnC", make([]byte, 16), nil},
		{"lease", "DHnQ", "DHnC", make([]byte, 16), &smb2.Lease{Key: wire.GUID{9}, State: stateRWH}},
		{"version 2", "DH2Q", "DH2C", v2, &smb2.Lease{Key: wire.GUID{9}, State: stateRWH, Version2: true}},
	} {
		for _, taken := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				s, port := start(t, Config{})
				ctx := patient(t)
				me := client.Options{ClientGUID: wire.GUID{1}}
				tree := logOn(t, port, me)
				m := opening{share: shareAll, disposition: smb2.CreateNew, oplock: smb2.OplockBatch, lease: c.lease}.request()
				m.List = m.List.Append(c.ask, c.data)
				f, err := tree.Open(ctx, "f", m)
				if err != nil {
					t.Fatal(err)
				}
				if !f.Contexts.Has(smb2.ContextDurable) && !f.Contexts.Has(smb2.ContextDurableV2) {
					t.Fatal("not durable")
				}
				put(t, f, []byte("kept"), 0)
				tree.Session.Conn.Close()
				for ; ; time.Sleep(time.Millisecond) { // until the server has noticed
					s.mu.Lock()
					n := len(s.durable)
					s.mu.Unlock()
					if n == 1 {
						break
					}
					if ctx.Err() != nil {
						t.Fatal("the open does not wait")
					}
				}
				if taken {
					other := logOn(t, port, client.Options{})
					openAs(t, other, "f", opening{share: shareAll, disposition: smb2.Open})
				}
				tree = logOn(t, port, me)
				m = opening{share: shareAll, disposition: smb2.Open, oplock: smb2.OplockBatch, lease: c.lease}.request()
				id := f.CreateResponse.File
				if c.back == "DHnC" {
					m.List = m.List.Append(c.back, id[:])
				} else {
					m.List = m.List.Append(c.back, wire.AppendU32(again(id), 0))
				}
				f, err = tree.Open(ctx, "f", m)
				if taken {
					wantStatus(t, "reconnect", err, ntstatus.ObjectNameNotFound)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if f.CreateResponse.File != id || !bytes.Equal(contents(t, f, 4), []byte("kept")) {
					t.Errorf("came back as %v", f.CreateResponse.File)
				}
				put(t, f, []byte("more"), 4)
				if err := f.Close(ctx); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
