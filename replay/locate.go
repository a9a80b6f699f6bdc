package replay

// Where messages hold what a server gives anew: the fields, by the names that the
// decoders give them.

import (
	"slices"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// slotFields says which fields hold slots.
var slotFields, slotWant = func() (map[*wire.Field]SlotKind, wire.Want) {
	names := map[string]SlotKind{
		"smb2.fid":                                    SlotFile,
		"copy.clone.source":                           SlotFile,
		"smb2.fsctl.cchunk.resume_key":                SlotResumeKey,
		"odx.token":                                   SlotToken,
		"smb2.lease.lease_key":                        SlotLease,
		"smb2.lease.parent_lease_key":                 SlotLease,
		"smb2.dh2x.create_guid":                       SlotGUID,
		"smb2.app_instance.app_guid":                  SlotGUID,
		"smb2.svhdx_open_device_context.initiator_id": SlotGUID,
		"smb2.ioctl.enumerate_snapshots.snapshot":     SlotSnapshot,
	}
	fields := make(map[*wire.Field]SlotKind)
	var want []*wire.Field
	for _, f := range slices.Concat(smb2.Fields(), fscc.Fields(), odx.Fields()) {
		if k, ok := names[f.Name]; ok {
			fields[f] = k
			want = append(want, f)
		}
	}
	return fields, wire.Only(want...)
}()

// decoder decodes one message after the other. Its results are valid until the next.
type decoder struct {
	smb  smb2.Decoder
	tree wire.Tree
}

// decode decodes a message of size bytes, of which b is what the capture holds.
func (d *decoder) decode(b []byte, size int, ctx *smb2.Context, want wire.Want) *smb2.Message {
	d.tree.Reset()
	d.tree.Want = want
	c := wire.NewCut(b, size, &d.tree)
	return d.smb.Decode(&c, ctx)
}

// found is a place that holds a slot's value.
type found struct {
	kind  SlotKind
	off   int
	value []byte // aliases the message
}

// noFile stands for no file, or the one before in a compound.
var noFile = string(slices.Repeat([]byte{0xff}, 16))

// isZeros reports whether a token is the well-known one.
func isZeros(token []byte) bool { return len(token) > 4 && string(token[:4]) == zeroToken }

// zeroToken is the type of the well-known token that stands for zeros: it is no server's
// own. [MS-FSCC] 2.3.79
const zeroToken = "\xff\xff\x00\x01"

// locate lists the slots of a message.
func (d *decoder) locate(b []byte, size int, ctx *smb2.Context) (list []found, m *smb2.Message) {
	m = d.decode(b, size, ctx, slotWant)
	asked := m.Command == smb2.Create && m.Flags&smb2.FlagResponse == 0 // whose contexts may have room for a FileId
	for i := range d.tree.Nodes {
		n := &d.tree.Nodes[i]
		kind, ok := slotFields[n.Field]
		value := d.tree.Bytes(i)
		if !ok || n.Generated || n.Buf != 0 || slotSizes[kind] != 0 && len(value) != slotSizes[kind] || empty(kind, value) || asked && zeros(value) {
			continue
		}
		list = append(list, found{kind, int(n.Off), value})
	}
	return list, m
}

// empty reports whether a value stands for nothing.
func empty(kind SlotKind, value []byte) bool {
	switch kind {
	case SlotFile:
		return string(value) == noFile
	case SlotLease, SlotGUID:
		return zeros(value)
	}
	return false
}

func zeros(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
