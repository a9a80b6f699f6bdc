package flows

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/samples"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/flowtest"
)

// What FuzzAnalyzer's input says of a segment, before its length and its bytes.
const (
	fromServer = 1 << iota
	again      // bytes before it come a second time
	missing    // bytes before it are in no frame
	early      // it overtakes what comes before it
	snapped    // the capture holds half of it
)

// segments makes a capture of fuzzed bytes: for each segment a byte of the flags above,
// two of its length, and its payload.
func segments(input []byte) []captures.Packet {
	var c flowtest.Capture
	n := c.Dial("10.0.0.1:50000", "10.0.0.2:445")
	for len(input) >= 3 {
		flags, size := input[0], int(binary.LittleEndian.Uint16(input[1:]))
		input = input[3:]
		data := input[:min(size, len(input))]
		input = input[len(data):]
		from := int(flags & fromServer)
		switch {
		case flags&again != 0:
			n.SendAt(from, -len(data)/2, data)
		case flags&missing != 0:
			n.Skip(from, 100)
			n.Send(from, data)
			n.Ack(1 - from)
		case flags&early != 0:
			n.SendAt(from, len(data), data)
			n.Send(from, data)
		default:
			n.Send(from, data)
		}
		if last := &c.Packets[len(c.Packets)-1]; flags&snapped != 0 && len(last.Data) > 60 {
			last.Data = last.Data[:60+(len(last.Data)-60)/2]
		}
	}
	return c.Packets
}

// alike reports whether two Infos are of the same frame: what stands before the first name
// of a file is the same, and only the second look may know that name.
func alike(first, second string) bool {
	a, b := untilName(first), untilName(second)
	if len(b) < len(a) && strings.HasPrefix(second[len(b):], " File:") {
		return strings.HasPrefix(a, b)
	}
	return a == b
}

// untilName cuts an Info where the name of a file or the word on what is malformed begins.
func untilName(info string) string {
	before, _, _ := strings.Cut(info, " File:")
	before, _, _ = strings.Cut(before, "[Malformed")
	return strings.TrimRight(before, " ")
}

// FuzzAnalyzer feeds streams of anything, in any order and cut anywhere: no panic, and
// a second look at a frame shows what the pass showed.
func FuzzAnalyzer(f *testing.F) {
	var sample []byte
	r, err := samples.Open(samples.Demo)
	if err != nil {
		f.Fatal(err)
	}
	var p captures.Packet
	var d inet.Decoder
	var h inet.Headers
	for r.Next(&p) == nil {
		c := wire.NewCut(p.Data, p.WireLen, nil)
		if d.Decode(&c, p.Link, &h, nil); h.PayloadLen > 0 {
			flags := byte(0)
			if h.SrcPort == 445 {
				flags = fromServer
			}
			sample = append(binary.LittleEndian.AppendUint16(append(sample, flags), uint16(len(h.Payload))), h.Payload...)
		}
		if p.Number%12 == 0 { // the fuzzer spends its time on making large inputs small
			f.Add(sample)
			sample = nil
		}
		if p.Number == 60 {
			break
		}
	}
	for _, o := range framings { // and iWARP
		sample = nil
		for _, p := range overMPA(o, "445").Packets {
			c := wire.NewCut(p.Data, p.WireLen, nil)
			if d.Decode(&c, p.Link, &h, nil); h.PayloadLen > 0 && len(sample) < 6000 {
				flags := byte(0)
				if h.SrcPort == 445 {
					flags = fromServer
				}
				sample = append(binary.LittleEndian.AppendUint16(append(sample, flags), uint16(len(h.Payload))), h.Payload...)
			}
		}
		f.Add(sample)
	}
	f.Fuzz(func(t *testing.T, input []byte) { lookTwice(t, input, nil) })
}

// lookTwice reads what segments makes of the input, and then looks at every frame again.
func lookTwice(t *testing.T, input []byte, keys *Keys) {
	if len(input) <= 1<<16 {
		lookAgain(t, segments(input), keys)
	}
}

// lookAgain makes a pass over packets, and then looks at every frame again.
func lookAgain(t *testing.T, packets []captures.Packet, keys *Keys) {
	file := flowtest.Pcapng(packets)
	open := func(o Options) *Capture {
		r, err := captures.NewReader(bytes.NewReader(file), "fuzzed")
		if err != nil {
			t.Fatal(err)
		}
		return New(r, o)
	}
	var rows []Row
	var tree wire.Tree
	c := open(Options{Keys: keys})
	if err := c.List(context.Background(), &tree, nil, func(r *Row) bool { rows = append(rows, *r); return true }); err != nil {
		t.Fatal(err)
	}
	c = open(Options{Index: true, Keys: keys})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		var again Row
		if err := c.Row(i+1, &again); err != nil {
			t.Fatal(err)
		}
		if !alike(rows[i].Info, again.Info) || again.Protocol != rows[i].Protocol {
			t.Fatalf("frame %d: %s %q, at a second look %s %q", i+1, rows[i].Protocol, rows[i].Info, again.Protocol, again.Info)
		}
		if err := c.Detail(i+1, &tree); err != nil {
			t.Fatal(err)
		}
	}
	var x Exchange
	for i := range c.Exchanges() {
		c.Exchange(i, &x)
	}
}

// FuzzDirect feeds the packets of a session over RoCEv2 in any order, each changed in one
// place and cut anywhere: as FuzzAnalyzer.
func FuzzDirect(f *testing.F) {
	source, err := captures.OpenFiles([]string{rocev2}, captures.Options{})
	if err != nil {
		f.Fatal(err)
	}
	defer source.Close()
	var b captures.Batch
	if err := source.ReadBatch(&b); err != nil {
		f.Fatal(err)
	}
	var real []captures.Packet
	for _, p := range b.Packets {
		p.Data = bytes.Clone(p.Data)
		real = append(real, p)
	}
	var all, lossy []byte
	for i := range real {
		all = append(all, byte(i), 0, 0, 0)
		if i%17 != 11 {
			lossy = append(lossy, byte(i), byte(40+i), 0, byte(i%5/4))
		}
	}
	f.Add(all)
	f.Add(lossy)
	f.Fuzz(func(t *testing.T, input []byte) {
		var list []captures.Packet
		for ; len(input) >= 4 && len(list) < 1<<10; input = input[4:] {
			p := real[int(input[0])%len(real)]
			p.Number, p.Time = len(list)+1, real[0].Time+int64(len(list))*100e3
			p.Data = bytes.Clone(p.Data)
			p.Data[(int(input[1])|int(input[2]&7)<<8)%len(p.Data)] ^= input[3]
			if input[2]&0xf0 == 0xf0 {
				p.Data = p.Data[:len(p.Data)*int(input[2]&0xf)/16]
			}
			list = append(list, p)
		}
		lookAgain(t, list, nil)
	})
}
