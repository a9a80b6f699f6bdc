package odx

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

// TestAppendRequests: what is appended decodes as what it was.
func TestAppendRequests(t *testing.T) {
	raw := append([]byte{0, 1, 0, 1, 0, 0, 0, 2, 0xaa, 0xbb}, bytes.Repeat([]byte{7}, TokenSize-10)...)
	for _, tt := range []struct {
		want interface{ Append([]byte) []byte }
		got  interface{ Decode(*wire.Cursor) }
		size int
	}{
		{&ReadRequest{ReadRequestSize, 1, 2, 3, 4}, new(ReadRequest), ReadRequestSize},
		{&WriteRequest{WriteRequestSize, 1, 2, 3, 4, Token{Type: 0x10001, IDLength: 2, ID: raw[8:10], Raw: raw}}, new(WriteRequest), WriteRequestSize},
	} {
		b := tt.want.Append(nil)
		c := wire.New(b, nil)
		tt.got.Decode(&c)
		if c.Err() != nil || len(b) != tt.size || !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%v, %d bytes, %+v, want %+v", c.Err(), len(b), tt.got, tt.want)
		}
	}
}
