package replay

import (
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// segment is what an FPDU says of a DDP segment. RFC 5041 4, RFC 5040 4
type segment struct {
	opcode uint64
	tag    uint64 // STag that its data goes to
	offset uint64 // tagged offset there
	data   []byte

	// Of a Read Request.
	sinkTag, sink     uint64
	sourceTag, source uint64
}

// RDMAP opcodes. RFC 5040 4.3
const (
	rdmaWrite, rdmaReadRequest, rdmaReadResponse = 0, 1, 2
)

// segments places the data of an operation over iWARP. What a WRITE carries names the
// client's memory; what answers a READ names the server's, which the request tells.
func segments(c *flows.Capture, _ *flows.RDMAConnection, o *flows.RDMAOperation, place func(at uint64, data []byte)) error {
	opcode, tag, from := uint64(rdmaWrite), uint64(o.Key), o.Address
	for n := o.FirstFrame; n <= o.LastFrame; n++ {
		list, err := segmentsAt(c, n)
		if err != nil {
			return err
		}
		for _, s := range list {
			switch {
			case o.Read && s.opcode == rdmaReadRequest && s.sourceTag == uint64(o.Key) && s.source == o.Address:
				opcode, tag, from = rdmaReadResponse, s.sinkTag, s.sink
			case s.opcode == opcode && s.tag == tag && s.offset >= from && o.Read == (opcode == rdmaReadResponse):
				place(s.offset-from, s.data)
			}
		}
	}
	return nil
}

// segmentsAt returns the segments that end in frame n.
func segmentsAt(c *flows.Capture, n int) (list []segment, err error) {
	var t wire.Tree
	if err := c.Detail(n, &t); err != nil {
		return nil, err
	}
	for i := range t.Nodes {
		v := &t.Nodes[i]
		if v.Field.Name == "iwarp_mpa.ulpdulength" {
			list = append(list, segment{})
		}
		if len(list) == 0 {
			continue
		}
		switch s := &list[len(list)-1]; v.Field.Name {
		case "iwarp_rdma.opcode":
			s.opcode = v.Val
		case "iwarp_ddp.stag":
			s.tag = v.Val
		case "iwarp_ddp.tagged_offset":
			s.offset = v.Val
		case "iwarp_rdma.sinkstag":
			s.sinkTag = v.Val
		case "iwarp_rdma.sinkto":
			s.sink = v.Val
		case "iwarp_rdma.srcstag":
			s.sourceTag = v.Val
		case "iwarp_rdma.srcto":
			s.source = v.Val
		case "data.data":
			s.data = t.Bytes(i)
		}
	}
	return list, nil
}
