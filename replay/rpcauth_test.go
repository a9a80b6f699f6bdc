package replay

import (
	"bytes"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
)

// TestBare: the authentication is taken out of a call with its padding; what cannot go
// without is refused.
func TestBare(t *testing.T) {
	call := func(kind, level byte, stub, pad, token int) []byte {
		b := append([]byte{5, 0, kind, 3, 0x10, 0, 0, 0}, make([]byte, 16)...)
		b = append(b, bytes.Repeat([]byte{7}, stub)...)
		b = append(b, make([]byte, pad)...)
		if token > 0 {
			b = append(b, 9, level, byte(pad), 0, 1, 0, 0, 0)
			b = append(b, bytes.Repeat([]byte{8}, token)...)
		}
		le.PutUint16(b[8:], uint16(len(b)))
		le.PutUint16(b[10:], uint16(token))
		return b
	}
	const integrity = 5
	for _, c := range []struct {
		name      string
		pdu, want []byte // want nil: refused
	}{
		{"signed", call(rpcRequest, integrity, 20, 12, 16), call(rpcRequest, 0, 20, 0, 0)},
		{"no padding", call(rpcRequest, integrity, 32, 0, 16), call(rpcRequest, 0, 32, 0, 0)},
		{"not authenticated", call(rpcRequest, 0, 20, 0, 0), call(rpcRequest, 0, 20, 0, 0)},
		{"sealed", call(rpcRequest, rpcPrivacy, 20, 12, 16), nil},
		{"the end of an authentication", call(rpcAuth3, integrity, 4, 0, 100), nil},
		{"no call", []byte("hello, world, or whatever"), []byte("hello, world, or whatever")},
	} {
		ioctl := append(make([]byte, headerSize), (&smb2.IoctlRequest{Function: fscc.PipeTransceive, InputData: c.pdu}).Append(nil)...)
		write := append(make([]byte, headerSize), (&smb2.WriteRequest{Data: c.pdu}).Append(nil)...)
		le.PutUint16(ioctl[12:], uint16(smb2.Ioctl))
		for _, s := range []*Step{{Request: ioctl, Header: Header{Command: smb2.Ioctl}}, {Request: write, Header: Header{Command: smb2.Write}}} {
			b, err := bare(s, s.Request)
			if c.want == nil {
				if err == nil {
					t.Errorf("%s: not refused", c.name)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			at, n := ioctlInput(b)
			if s.Header.Command == smb2.Write {
				at, n = uint32(le.Uint16(b[headerSize+2:])), le.Uint32(b[headerSize+4:])
			}
			if got := part(b, at, n); !bytes.Equal(got, c.want) {
				t.Errorf("%s: %x, want %x", c.name, got, c.want)
			}
		}
	}
}
