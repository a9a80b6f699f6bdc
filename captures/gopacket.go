package captures

import (
	"bytes"
	"time"

	"github.com/google/gopacket"

	"github.com/odxray/odxray/captures/linktype"
)

var (
	_ gopacket.ZeroCopyPacketDataSource = (*Reader)(nil)
	_ gopacket.PacketDataSource         = (*Reader)(nil)
)

// ZeroCopyReadPacketData makes a Reader a gopacket.ZeroCopyPacketDataSource. The
// packet's link type, which may differ from packet to packet, is
// AncillaryData[0].
func (r *Reader) ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	p := &r.scratch
	if err := r.Next(p); err != nil {
		return nil, gopacket.CaptureInfo{}, err
	}
	if len(r.ancillary) == 0 || r.ancillary[0] != p.Link {
		r.ancillary = []any{p.Link}
	}
	return p.Data, gopacket.CaptureInfo{
		Timestamp:      time.Unix(0, p.Time).UTC(),
		CaptureLength:  len(p.Data),
		Length:         p.WireLen,
		InterfaceIndex: p.Interface,
		AncillaryData:  r.ancillary,
	}, nil
}

// ReadPacketData is ZeroCopyReadPacketData with data that the caller may keep, for
// gopacket.NewPacketSource.
func (r *Reader) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	data, ci, err := r.ZeroCopyReadPacketData()
	return bytes.Clone(data), ci, err
}

// LinkType returns the link type of the first packet; in a stream it waits for
// that. Before ReadPacketData it reads no packet. gopacket decodes from
// layers.LinkType(r.LinkType()).
func (r *Reader) LinkType() linktype.Type {
	if r.number == 0 && r.step(&r.scratch) {
		return r.scratch.Link
	}
	return r.link
}
