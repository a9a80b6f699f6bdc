package inet_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
)

// shared returns the capture files of a folder of the shared captures, or skips.
func shared(t testing.TB, folder string) []string {
	t.Helper()
	root := os.Getenv("ODXRAY_CAPTURES")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "captures")
	}
	var files []string
	filepath.WalkDir(filepath.Join(root, folder), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (strings.Contains(path, ".pcap") || strings.Contains(path, ".cap") || strings.HasSuffix(path, ".snoop")) {
			files = append(files, path)
		}
		return nil
	})
	if len(files) == 0 {
		t.Skip("no shared captures: set ODXRAY_CAPTURES to their folder")
	}
	return files
}

// parser is the reference: gopacket's decoders into reused layers.
type parser struct {
	eth      layers.Ethernet
	tag      [2]layers.Dot1Q
	loop     layers.Loopback
	ip4      layers.IPv4
	ip6      layers.IPv6
	tcp      layers.TCP
	udp      layers.UDP
	payload  gopacket.Payload
	fragment gopacket.Fragment
	found    []gopacket.LayerType
	parsers  map[linktype.Type]*gopacket.DecodingLayerParser
}

func newParser() *parser {
	p := &parser{parsers: make(map[linktype.Type]*gopacket.DecodingLayerParser)}
	for link, first := range map[linktype.Type]gopacket.LayerType{
		linktype.Ethernet: layers.LayerTypeEthernet, linktype.Null: layers.LayerTypeLoopback,
		linktype.IPv4: layers.LayerTypeIPv4, linktype.IPv6: layers.LayerTypeIPv6,
	} {
		d := gopacket.NewDecodingLayerParser(first, &p.eth, &p.tag[0], &p.loop, &p.ip4, &p.ip6, &p.tcp, &p.udp, &p.payload, &p.fragment)
		d.IgnoreUnsupported = true
		p.parsers[link] = d
	}
	return p
}

// TestOracle compares every frame of the captures with what gopacket makes of it,
// where gopacket makes something of it: it drops a TCP header whose options are bad,
// and an IPv6 header without a length.
func TestOracle(t *testing.T) {
	p := newParser()
	var d inet.Decoder
	var h inet.Headers
	compared, frames := 0, 0
	for _, file := range shared(t, "own") {
		r, err := captures.Open(file)
		if err != nil {
			continue // a key table beside the captures
		}
		var packet captures.Packet
		bad := 0
		for bad < 3 {
			if r.Next(&packet) != nil {
				break // the reader's own tests say why
			}
			frames++
			c := wire.NewCut(packet.Data, packet.WireLen, nil)
			d.Decode(&c, packet.Link, &h, nil)
			link := packet.Link
			if link == linktype.Raw {
				link = linktype.IPv4
			}
			parser := p.parsers[link]
			if parser == nil {
				continue
			}
			p.found = p.found[:0]
			if err := parser.DecodeLayers(packet.Data, &p.found); err != nil || len(p.found) == 0 {
				continue
			}
			compared++
			if diff := p.compare(&h, packet.WireLen == len(packet.Data)); diff != "" {
				t.Errorf("%s: frame %d: %s: %+v", filepath.Base(file), packet.Number, diff, h)
				bad++
			}
		}
		r.Close()
	}
	t.Logf("%d of %d frames compared", compared, frames)
	if compared < frames/2 {
		t.Error("gopacket understood too few of them to prove anything")
	}
}

func (p *parser) compare(h *inet.Headers, whole bool) string {
	kind := inet.Other
	for _, l := range p.found {
		switch l {
		case layers.LayerTypeEthernet:
			if !bytes.Equal(h.LinkSrc, p.eth.SrcMAC) || !bytes.Equal(h.LinkDst, p.eth.DstMAC) {
				return "Ethernet addresses"
			}
		case layers.LayerTypeIPv4:
			kind = inet.IP
			if h.Src != addr(p.ip4.SrcIP) || h.Dst != addr(p.ip4.DstIP) || h.TTL != p.ip4.TTL || h.Proto != uint8(p.ip4.Protocol) {
				return "IPv4"
			}
			if h.MoreFragments != (p.ip4.Flags&layers.IPv4MoreFragments != 0) || h.FragOffset != p.ip4.FragOffset*8 {
				return "IPv4 fragment"
			}
		case layers.LayerTypeIPv6:
			kind = inet.IP
			if h.Src != addr(p.ip6.SrcIP) || h.Dst != addr(p.ip6.DstIP) || h.TTL != p.ip6.HopLimit {
				return "IPv6"
			}
		case gopacket.LayerTypeFragment:
			kind = inet.Fragment
		case layers.LayerTypeTCP:
			kind = inet.TCP
			if diff := p.compareTCP(h, whole); diff != "" {
				return diff
			}
		case layers.LayerTypeUDP:
			kind = inet.UDP
			if h.SrcPort != uint16(p.udp.SrcPort) || h.DstPort != uint16(p.udp.DstPort) || whole && !bytes.Equal(h.Payload, p.udp.Payload) {
				return "UDP"
			}
		}
	}
	if h.Kind != kind && (kind > inet.IP || h.Kind < inet.IP && kind == inet.IP) {
		return "kind"
	}
	return ""
}

func (p *parser) compareTCP(h *inet.Headers, whole bool) string {
	t := &p.tcp
	var flags inet.TCPFlags
	for i, set := range [...]bool{t.FIN, t.SYN, t.RST, t.PSH, t.ACK, t.URG, t.ECE, t.CWR, t.NS} {
		if set {
			flags |= 1 << i
		}
	}
	if h.SrcPort != uint16(t.SrcPort) || h.DstPort != uint16(t.DstPort) || h.Seq != t.Seq || h.Ack != t.Ack ||
		h.Flags != flags || h.Window != t.Window || h.Urgent != t.Urgent {
		return "TCP"
	}
	if !bytes.HasPrefix(h.Payload, t.Payload) && !bytes.HasPrefix(t.Payload, h.Payload) || whole && len(t.Payload) != h.PayloadLen {
		return "TCP payload"
	}
	shift, mss, sacks, stamps := int8(-1), uint16(0), 0, false
	for _, o := range t.Options {
		switch o.OptionType {
		case layers.TCPOptionKindWindowScale:
			shift = int8(o.OptionData[0])
		case layers.TCPOptionKindMSS:
			mss = uint16(o.OptionData[0])<<8 | uint16(o.OptionData[1])
		case layers.TCPOptionKindSACK:
			sacks = len(o.OptionData) / 8
		case layers.TCPOptionKindTimestamps:
			stamps = true
		}
	}
	if h.WindowShift != shift || h.MSS != mss || int(h.NSACK) != sacks || h.HasTimestamp != stamps {
		return "TCP options"
	}
	return ""
}

func addr(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}
