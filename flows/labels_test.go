package flows

// The bytes of files as RDMA moved them, rebuilt by other means than flows has, against the
// hashes that the client and the server took in the lab.

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma"
	"github.com/odxray/odxray/rdma/ib"
	"github.com/odxray/odxray/rdma/smbd"
)

// spot is where RDMA data lies in the memory of a client.
type spot struct {
	key     uint32
	address uint64
}

// asks is an RDMA WRITE or READ whose packets carry data without saying where it goes.
type asks struct {
	psn uint32
	at  spot
}

// operand is a READ or WRITE that waits for its answer.
type operand struct {
	frame       uint32
	descriptors []smb2.Descriptor
	data        []byte
}

// payloads rebuilds what READs and WRITEs moved.
type payloads struct {
	table   rdma.Table
	parts   map[*rdma.Pair]*[2]smbd.Assembler
	smb     smb2.Decoder
	ctx     smb2.Context
	mtu     uint32
	asked   map[netip.AddrPort][]asks // by the queue pair that the data goes to, for WRITEs; that it comes from, for READs
	memory  map[uint32]map[uint64][]byte
	waiting map[uint64]*operand
	found   map[[2]uint64][]byte // by frame of the request and MessageId
	streams map[netip.AddrPort]*bytesOf
}

func (y *payloads) packet(h *inet.Headers, p *ib.Packet, frame uint32, now int64) {
	body, _ := p.Body()
	to := netip.AddrPortFrom(h.Dst, uint16(p.DestQP))
	keep := func(of netip.AddrPort) {
		list := y.asked[of]
		for i := len(list) - 1; i >= 0; i-- {
			if d := int32((p.PSN-list[i].psn)<<8) >> 8; d >= 0 {
				at := list[i].at
				if y.memory[at.key] == nil {
					y.memory[at.key] = make(map[uint64][]byte)
				}
				y.memory[at.key][at.address+uint64(d)*uint64(y.mtu)] = append([]byte(nil), body...)
				return
			}
		}
	}
	switch p.Opcode {
	case ib.WriteFirst, ib.WriteOnly:
		y.asked[to] = append(y.asked[to], asks{p.PSN, spot{p.RKey, p.Address}})
		keep(to)
	case ib.WriteMiddle, ib.WriteLast:
		keep(to)
	case ib.ReadRequest:
		// Its data comes from there, and names the queue pair of who asked.
		y.asked[netip.AddrPortFrom(h.Src, 0)] = append(y.asked[netip.AddrPortFrom(h.Src, 0)], asks{p.PSN, spot{p.RKey, p.Address}})
	case ib.ReadResponseFirst, ib.ReadResponseMiddle, ib.ReadResponseLast, ib.ReadResponseOnly:
		keep(netip.AddrPortFrom(h.Dst, 0))
	}
	for _, e := range y.table.Packet(h.Src, h.Dst, p, frame, now) {
		if e.Kind != rdma.Sent || smbd.Recognise(e.Bytes) == smbd.NegotiateRequest || smbd.Recognise(e.Bytes) == smbd.NegotiateResponse {
			continue
		}
		if y.parts[e.Pair] == nil {
			y.parts[e.Pair] = new([2]smbd.Assembler)
		}
		var m smbd.Message
		c := wire.New(e.Bytes, nil)
		m.Decode(&c, smbd.DataTransfer)
		if w, ok, _ := y.parts[e.Pair][e.Dir].Add(&m, e.Frames); ok {
			y.message(uint64(e.Pair.ID)<<56, w.Bytes, frame)
		}
	}
}

// message takes what SMB2 says; pair is a part of its ids.
func (y *payloads) message(pair uint64, b []byte, frame uint32) {
	c := wire.New(b, nil)
	for c.Len() > 0 {
		m := y.smb.Decode(&c, &y.ctx)
		id := pair | m.MessageID
		list := func(l smb2.Descriptors) (out []smb2.Descriptor) {
			for i := range l.Len() {
				out = append(out, l.At(i))
			}
			return out
		}
		switch q := m.Body.(type) {
		case *smb2.ReadRequest:
			y.waiting[id] = &operand{frame: frame, descriptors: list(q.Descriptors)}
		case *smb2.WriteRequest:
			y.waiting[id] = &operand{frame: frame, descriptors: list(q.Descriptors), data: append([]byte(nil), q.Data...)}
		case *smb2.ReadResponse:
			if o := y.waiting[id]; o != nil {
				o.data = append(o.data, q.Data...)
				y.answered(o, m.MessageID, int(q.DataRemaining))
			}
		case *smb2.WriteResponse:
			if o := y.waiting[id]; o != nil {
				y.answered(o, m.MessageID, int(q.Count)-len(o.data))
			}
		}
	}
}

// answered takes n bytes out of the memory that an operand gave.
func (y *payloads) answered(o *operand, id uint64, n int) {
	for _, d := range o.descriptors {
		for at := d.Offset; at < d.Offset+uint64(d.Length) && n > 0; {
			b := y.memory[d.Token][at]
			if len(b) == 0 {
				break
			}
			b = b[:min(len(b), n)]
			o.data, n, at = append(o.data, b...), n-len(b), at+uint64(len(b))
		}
		delete(y.memory, d.Token)
	}
	y.found[[2]uint64{uint64(o.frame), id}] = o.data
}

// payloadsOf rebuilds what the READs and WRITEs of a capture moved.
func payloadsOf(t *testing.T, path string, mtu uint32) map[[2]uint64][]byte {
	t.Helper()
	source, err := captures.OpenFiles([]string{path}, captures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	y := &payloads{mtu: mtu, parts: make(map[*rdma.Pair]*[2]smbd.Assembler), asked: make(map[netip.AddrPort][]asks), memory: make(map[uint32]map[uint64][]byte),
		waiting: make(map[uint64]*operand), found: make(map[[2]uint64][]byte)}
	var d inet.Decoder
	var h inet.Headers
	var i ib.Decoder
	frame := uint32(0)
	var b captures.Batch
	for source.ReadBatch(&b) == nil {
		for n := range b.Packets {
			p := &b.Packets[n]
			frame++
			c := wire.NewCut(p.Data, p.WireLen, nil)
			switch d.Decode(&c, p.Link, &h, nil); {
			case isRoCE(&h):
				c = wire.NewCut(h.Payload, h.PayloadLen, nil)
				y.packet(&h, i.Decode(&c, nil), frame, p.Time)
			case h.Kind == inet.TCP:
				y.tcp(&h, frame)
			}
		}
		b.Release()
	}
	return y.found
}

// TestLabels: the bytes of READs and of WRITEs make the files that the client had.
func TestLabels(t *testing.T) {
	for name, mtu := range map[string]uint32{"rocev2-311-mtu4096": 4096, "rocev2-311-loss": 1024, "rocev2-311-sign": 1024,
		"rocev2-311-multichannel2": 1024, "odx-rocev2-311-multi": 1024,
		"siw-311": 0, "siw-311-mpa1": 0, "siw-311-mpa1-crc": 0, "siw-311-loss": 0} {
		file := ownCapture(t, name+".pcap.zst")
		labels := labelsOf(t, file, name)
		found := payloadsOf(t, file, mtu)
		list, _ := passOver(t, file)
		images, states := make(map[string][]byte), make(map[string]bool)
		byRDMA := uint64(0)
		for _, x := range list {
			b, ok := found[[2]uint64{uint64(x.RequestFrame), x.MessageID}]
			if x.Command != smb2.Read && x.Command != smb2.Write || x.Moved == 0 {
				continue
			}
			byRDMA += x.RDMA.Bytes
			if !ok || uint64(len(b)) != x.Moved {
				t.Errorf("%s: %v of %s in frame %d moved %d bytes, and %d are found", name, x.Command, x.File, x.RequestFrame, x.Moved, len(b))
				continue
			}
			if labels[x.File] == "" {
				continue
			}
			k := x.Command.String() + " " + x.File
			image := images[k]
			if end := int(x.Offset) + len(b); end > len(image) {
				image = append(image, make([]byte, end-len(image))...)
			}
			copy(image[x.Offset:], b)
			images[k] = image
			sum := md5.Sum(image)
			states[k+" "+hex.EncodeToString(sum[:])] = true
		}
		for label, sum := range labels {
			for _, command := range []string{"Read ", "Write "} {
				if strings.HasPrefix(name, "odx") && command == "Write " {
					continue // a copy filled the rest
				}
				if images[command+label] != nil && !states[command+label+" "+sum] {
					t.Errorf("%s: %s%s never was what the client had", name, command, label)
				}
			}
			if images["Read "+label] == nil && images["Write "+label] == nil {
				t.Logf("%s: nothing of %s was read or written", name, label)
			}
		}
		if byRDMA == 0 && !strings.HasSuffix(name, "sign") {
			t.Errorf("%s: nothing moved by RDMA", name)
		}
	}
}

// labelsOf returns the hashes of files as the client saw them, by name.
func labelsOf(t *testing.T, file, name string) map[string]string {
	f, err := os.Open(filepath.Join(filepath.Dir(file), "labels", name+".client.md5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	labels := make(map[string]string)
	for s := bufio.NewScanner(f); s.Scan(); {
		if sum, of, ok := strings.Cut(s.Text(), "  "); ok {
			labels[strings.ReplaceAll(strings.TrimPrefix(path.Clean(of), "/mnt/"), "/", `\`)] = sum
		}
	}
	return labels
}
