package flows

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/flowtest"
)

// chained compresses a message as a chain: its first bytes as they are, the rest as one
// pattern if it is that. [MS-SMB2] 2.2.42.2
func chained(m []byte) []byte {
	u16, u32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	tail := len(m)
	for tail > 64 && m[tail-1] == m[len(m)-1] {
		tail--
	}
	b := u32([]byte("\xfcSMB"), uint32(len(m)))
	b = append(u32(u16(u16(b, 0), 1), uint32(tail)), m[:tail]...)
	if tail < len(m) {
		b = u32(u16(u16(b, uint16(smb2.PatternV1)), 0), 8)
		b = u32(append(b, m[len(m)-1], 0, 0, 0), uint32(len(m)-tail))
	}
	return b
}

// What was compressed is in every result as what was not, inside encryption too, and
// random access shows the same rows.
func TestCompressedAsPlain(t *testing.T) {
	keys := seal.Derive(smb2.Dialect302, smb2.AES128CCM, testKey, nil)
	tell := func(wrap func(s *flowtest.Client)) string {
		var c flowtest.Capture
		s := c.Login("10.0.0.1:50000", "10.0.0.9:445", `\\server\share`)
		if wrap != nil {
			wrap(s)
		}
		f := s.New("file")
		s.Write(f, 0, make([]byte, 100000))
		s.Read(f, 0, bytes.Repeat([]byte("x"), 50000))
		s.Close(f)
		k := keysOf(fmt.Sprintf("%016x,%x", swap(s.Session), testKey))
		a, r := analysed(&c, k)
		look, err := Open([]string{written(t, &c)}, Options{Index: true, Keys: k})
		if err != nil {
			t.Fatal(err)
		}
		defer look.Close()
		if err := look.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		var row Row
		var rows []string
		var tree wire.Tree
		for n := range look.Frames() {
			if err := look.Row(n+1, &row); err != nil {
				t.Fatal(err)
			}
			if row.Protocol != "SMB2" {
				continue
			}
			rows = append(rows, strings.NewReplacer("Decrypted SMB3;", "", "Decomp. SMB3;", "").Replace(row.Info))
			if err := look.Detail(n+1, &tree); err != nil || messages(&tree) != 1 {
				t.Errorf("frame %d: %d messages, %v", n+1, messages(&tree), err)
			}
		}
		return fmt.Sprint(r.Messages, r.Exchanges, r.Opens, r.Problems, cap(a.grown) <= 2*(100000+aroundData), "\n", strings.Join(rows, "\n"))
	}
	plain := tell(nil)
	for name, wrap := range map[string]func(s *flowtest.Client){
		"compressed": func(s *flowtest.Client) { s.Wrap = chained },
		"sealed":     func(s *flowtest.Client) { s.Wrap = sealedWith(s.Session, keys, smb2.AES128CCM) },
		"both":       func(s *flowtest.Client) { s.Wrap = sealedAround(s.Session, keys, smb2.AES128CCM, chained) },
	} {
		if got := tell(wrap); got != plain {
			t.Errorf("%s:\n%s\nplain:\n%s", name, got, plain)
		}
	}
}

// A message that does not decompress is called what Wireshark calls it, also at a
// second look, and is a problem.
func TestCompressedWrongly(t *testing.T) {
	for name, x := range map[string]struct {
		spoil func(b []byte)
		info  string
		why   string
	}{
		"damaged":   {func(b []byte) { b[4]++ }, "Comp. SMB3 (invalid)", "the compressed data is damaged"},
		"too large": {func(b []byte) { b[7] = 1 }, "Comp. SMB3 (too big)", "the compressed data becomes larger than was negotiated"},
		"unknown":   {func(b []byte) { b[8] = 9 }, "Comp. SMB3", "the compression algorithm is unknown"},
	} {
		var c flowtest.Capture
		s := c.Login("10.0.0.1:50000", "10.0.0.9:445", `\\server\share`)
		s.Wrap = func(m []byte) []byte { b := chained(m); x.spoil(b); return b }
		s.Mute = true
		s.Open("file", 1)
		look, err := Open([]string{written(t, &c)}, Options{Index: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := look.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		var row Row
		if err := look.Row(s.Request, &row); err != nil || row.Info != x.info {
			t.Errorf("%s: %q, %v", name, row.Info, err)
		}
		r := look.Results()
		if !r.Incomplete || !strings.Contains(strings.Join(r.Problems, "\n"), "1 messages could not be decompressed: "+x.why) {
			t.Errorf("%s: %q", name, r.Problems)
		}
		look.Close()
	}
}

// messages counts the SMB2 messages in a tree.
func messages(t *wire.Tree) (n int) {
	for i := range t.Nodes {
		if t.Nodes[i].Field.Name == "smb2.cmd" {
			n++
		}
	}
	return n
}
