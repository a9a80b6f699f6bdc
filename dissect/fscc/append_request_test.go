package fscc

import (
	"reflect"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

// TestAppendRequests: what is appended decodes as what it was.
func TestAppendRequests(t *testing.T) {
	chunks := Chunks(nil).Append(Chunk{1, 2, 3}).Append(Chunk{1 << 40, 5, 6})
	clone := DuplicateExtentsRequest{wire.GUID{7, 15: 8}, 1, 2, 3}
	for _, tt := range []struct {
		want interface{ Append([]byte) []byte }
		got  interface{ Decode(*wire.Cursor) }
	}{
		{&CopyChunkRequest{ResumeKey{1, 23: 9}, 2, chunks}, new(CopyChunkRequest)},
		{&clone, new(DuplicateExtentsRequest)},
		{&DuplicateExtentsExRequest{48, clone, DuplicateExtentsSourceAtomic}, new(DuplicateExtentsExRequest)},
		{&ZeroDataRequest{4, 5}, new(ZeroDataRequest)},
	} {
		c := wire.New(tt.want.Append(nil), nil)
		tt.got.Decode(&c)
		if c.Err() != nil || c.Len() != 0 || !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%v, %d left, %+v, want %+v", c.Err(), c.Len(), tt.got, tt.want)
		}
	}
}
