package replay

// Data that went by RDMA, put together of what moved it: the server READs the memory of a
// client that writes, and WRITEs into that of one that reads. [MS-SMB2] 2.2.19, 2.2.21

import (
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// maxMoved bounds the data of one exchange: more is taken for missing.
const maxMoved = 1 << 24

// moved returns what RDMA moved for exchanges, by Exchange.ID: only that of which every
// byte is in the capture.
func moved(c *flows.Capture) (map[int][]byte, error) {
	data := make(map[int][]byte)
	for _, k := range c.RDMA() {
		parts := make(map[int][]*flows.RDMAOperation)
		for i := range k.Operations {
			if o := &k.Operations[i]; o.Exchange != 0 && !o.ByClient {
				parts[o.Exchange] = append(parts[o.Exchange], o)
			}
		}
		for id, list := range parts {
			b, err := joinedParts(c, &k, list)
			if err != nil {
				return nil, err
			}
			if b != nil {
				data[id] = b
			}
		}
	}
	return data, nil
}

// joinedParts puts the operations of one exchange together; nil if some of it is missing.
func joinedParts(c *flows.Capture, k *flows.RDMAConnection, list []*flows.RDMAOperation) ([]byte, error) {
	low, high := list[0].Address, uint64(0)
	for _, o := range list {
		if o.Incomplete != "" || o.Key != list[0].Key || o.LastFrame-o.FirstFrame > maxMoved/256 {
			return nil, nil
		}
		low, high = min(low, o.Address), max(high, o.Address+uint64(o.Length))
	}
	if high-low > maxMoved {
		return nil, nil
	}
	b, missing := make([]byte, high-low), []flows.Range{{End: high - low}}
	for _, o := range list {
		place := func(at uint64, data []byte) { // of the operation
			if end := at + uint64(len(data)); at <= end && end <= uint64(o.Length) {
				at += o.Address - low
				copy(b[at:], data)
				missing = without(missing, flows.Range{Start: at, End: at + uint64(len(data))})
			}
		}
		each := packets
		if k.Transport == flows.IWARP {
			each = segments
		}
		if err := each(c, k, o, place); err != nil {
			return nil, err
		}
	}
	if len(missing) > 0 {
		return nil, nil
	}
	return b, nil
}

// packets places the data of an operation over InfiniBand.
func packets(c *flows.Capture, k *flows.RDMAConnection, o *flows.RDMAOperation, place func(at uint64, data []byte)) error {
	to := k.Client.Number
	if o.Read { // its answers carry the data
		to = k.Server.Number
	}
	for n := o.FirstFrame; n <= o.LastFrame && k.MTU > 0; n++ {
		p, err := packetAt(c, n)
		if err != nil {
			return err
		}
		if p.queuePair == to && p.data != nil && p.carries(o.Read) {
			const sequence = 1<<24 - 1
			place(uint64((p.number-o.PSN)&sequence)*uint64(k.MTU), p.data)
		}
	}
	return nil
}

// packet is what a frame holds of InfiniBand.
type packet struct {
	opcode    uint64
	queuePair uint32 // that it goes to
	number    uint32 // PSN
	data      []byte
}

// carries reports whether a packet brings data of a READ, or of a WRITE. IBTA 9.3.2
func (p *packet) carries(read bool) bool {
	const firstWrite, onlyWrite, firstAnswer, onlyAnswer = 6, 11, 13, 16
	if read {
		return p.opcode >= firstAnswer && p.opcode <= onlyAnswer
	}
	return p.opcode >= firstWrite && p.opcode <= onlyWrite
}

func packetAt(c *flows.Capture, n int) (p packet, err error) {
	var t wire.Tree
	if err := c.Detail(n, &t); err != nil {
		return p, err
	}
	for i := range t.Nodes {
		switch v := &t.Nodes[i]; v.Field.Name {
		case "infiniband.bth.opcode":
			p.opcode = v.Val
		case "infiniband.bth.destqp":
			p.queuePair = uint32(v.Val)
		case "infiniband.bth.psn":
			p.number = uint32(v.Val)
		case "data.data":
			p.data = t.Bytes(i)
		}
	}
	return p, nil
}
