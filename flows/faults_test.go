package flows

// Captures of one workload with and without faults on the network, and one capture
// in several forms.

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/flowtest"
)

// summarise lists exchanges by what was asked and answered, sorted.
func summarise(list []Exchange) (lines []string) {
	for i := range list {
		x := &list[i]
		lines = append(lines, fmt.Sprintf("%v %v %q %d+%d %v moved %d %s", x.Command, x.Function, x.File, x.Offset, x.Length, x.Status, x.Moved, x.Uncertain))
	}
	slices.Sort(lines)
	return lines
}

// TestFaults: the network lost, doubled, delayed and damaged frames, and TCP mended
// it. Every exchange of the clean run is found, none is invented, and nothing is
// called lost that came in the end.
func TestFaults(t *testing.T) {
	figures := []struct {
		file, clean              string
		exchanges, retransmitted int
	}{
		{"fault_delay20_c", "fault_delay20_s", 62, 0},
		{"fault_corrupt_c", "fault_delay20_s", 62, 1122},
		{"fault_corrupt_s", "fault_delay20_s", 62, 18},
		{"fault_loss1_c", "fault_delay20_s", 62, 19},
		{"fault_loss1_s", "fault_delay20_s", 62, 15},
		{"fault_loss1_nosack_c", "fault_delay20_s", 62, 72},
		{"fault_loss1_nosack_s", "fault_delay20_s", 62, 94},
		{"fault_loss5_c", "fault_delay20_s", 62, 33},
		{"fault_loss5_s", "fault_delay20_s", 62, 44},
		{"fault_mix_c", "fault_delay20_s", 62, 42},
		{"fault_mix_s", "fault_delay20_s", 62, 37},
		{"fault_reorder5_c", "fault_delay20_s", 62, 42},
		{"fault_reorder5_s", "fault_delay20_s", 62, 52},
		{"ip4_fragments", "ip6_fragments", 40, 0},
		{"ip4_fragments_reorder", "ip6_fragments", 40, 17},
	}
	for _, f := range figures {
		clean, _ := pass(t, sharedCaptures(t, f.clean+".pcap.zst"), nil)
		list, r := pass(t, sharedCaptures(t, f.file+".pcap.zst"), nil)
		if d := gocmp.Diff(summarise(clean), summarise(list)); d != "" || len(list) != f.exchanges {
			t.Errorf("%s: %d exchanges, want %d: %s", f.file, len(list), f.exchanges, d)
		}
		if len(r.Connections) != 1 {
			t.Fatalf("%s: %d connections", f.file, len(r.Connections))
		}
		if c := &r.Connections[0]; c.LostBytes != 0 || c.Malformed != 0 || c.Retransmitted != f.retransmitted || r.Incomplete {
			t.Errorf("%s: %d bytes lost, %d messages malformed, %d frames retransmitted, problems %q", f.file, c.LostBytes, c.Malformed, c.Retransmitted, r.Problems)
		}
	}
}

// TestLostFrames: frames that the capture lacks are counted to the byte; what is found
// was there, and what they touched is marked.
func TestLostFrames(t *testing.T) {
	packets := flowtest.Packets(t, sharedCaptures(t, "fault_delay20_c.pcap.zst")[0])
	whole := exchangesOf(play(packets))
	known := make(map[string]Exchange)
	for _, x := range whole {
		known[fmt.Sprintf("%v %d", x.Command, x.MessageID)] = x
	}
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var left []captures.Packet
		var d inet.Decoder
		var h inet.Headers
		lost := uint64(0)
		for i, p := range packets {
			c := wire.NewCut(p.Data, p.WireLen, nil)
			d.Decode(&c, p.Link, &h, nil)
			// The end of a stream is not missed: nothing comes after it.
			if i < 10 || i > len(packets)-200 || rnd.IntN(200) != 0 {
				left = append(left, p)
			} else {
				lost += uint64(h.PayloadLen)
			}
		}
		a := play(left)
		if got := a.lostBytes; got < lost {
			t.Errorf("seed %d: %d bytes are missing, %d were counted", seed, lost, got)
		}
		found := 0
		for _, x := range exchangesOf(a) {
			want, ok := known[fmt.Sprintf("%v %d", x.Command, x.MessageID)]
			switch {
			case !ok:
				t.Errorf("seed %d: invented %+v", seed, x)
			case x.AnswerFrame != 0 && x.Status != want.Status:
				t.Errorf("seed %d: %+v, want status %v", seed, x, want.Status)
			case x.RequestFrame != 0 && x.AnswerFrame != 0 && x.Uncertain == "" && x.Length != want.Length:
				t.Errorf("seed %d: %+v, want length %d", seed, x, want.Length)
			default:
				found++
			}
		}
		if found < len(whole)*3/4 {
			t.Errorf("seed %d: %d of %d exchanges", seed, found, len(whole))
		}
	}
}

// TestWaysIn: a file, standard input, the file in two halves, and those joined by
// mergecap tell the same story, on one processor and on several.
func TestWaysIn(t *testing.T) {
	for _, name := range []string{"fault_mix_c.pcap.zst", "copy-sparse2.snoop", "torture_smb2_compound.pcap", "ip4_fragments_reorder.pcap.zst"} {
		file := sharedCaptures(t, name)[0]
		want, whole := pass(t, []string{file}, nil)
		same := func(way string, files ...string) {
			t.Helper()
			list, r := pass(t, files, nil)
			if d := gocmp.Diff(want, list); d != "" {
				t.Errorf("%s, %s: %.2000s", name, way, d)
			}
			if d := gocmp.Diff(said(whole), said(r)); d != "" {
				t.Errorf("%s, %s: %.2000s", name, way, d)
			}
		}
		stdin := os.Stdin
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		os.Stdin = f
		same("standard input", "-")
		os.Stdin = stdin
		f.Close()

		was := runtime.GOMAXPROCS(1)
		same("on one processor", file)
		runtime.GOMAXPROCS(was)

		halves := halve(t, file)
		same("in two halves", halves...)
		same("in two halves, the second first", halves[1], halves[0])
		if _, err := exec.LookPath("mergecap"); err != nil {
			continue
		}
		joined := filepath.Join(t.TempDir(), "joined.pcapng")
		if out, err := exec.Command("mergecap", append([]string{"-w", joined}, halves...)...).CombinedOutput(); err != nil {
			t.Fatalf("mergecap: %v: %s", err, out)
		}
		same("joined by mergecap", joined)
	}
}

// said prints what results say, a line each.
func said(r *Results) (lines []string) {
	for i := range r.Connections {
		lines = append(lines, fmt.Sprintf("%+v", r.Connections[i]))
	}
	for i := range r.Sessions {
		lines = append(lines, fmt.Sprintf("%+v", r.Sessions[i]))
	}
	for i := range r.Copies {
		y := &r.Copies[i]
		lines = append(lines, fmt.Sprint(y.ID, y.Method, y.Source.Path, y.Destination.Path, y.Bytes, y.Covered, y.Verdict, y.FirstFrame, y.LastFrame, len(y.Calls)))
	}
	for i := range r.Mints {
		m := &r.Mints[i]
		lines = append(lines, fmt.Sprint(m.ID, m.Frame, m.Source, m.Offset, m.Length, m.State, m.Consumed, len(m.Uses)))
	}
	return append(append(lines, fmt.Sprintf("%+v", r.Caching)), r.Problems...)
}

// halve writes the packets of a capture to two files.
func halve(t *testing.T, file string) (halves []string) {
	t.Helper()
	packets := flowtest.Packets(t, file)
	// Not between packets of one time, whose order in a timeline is that of the files,
	// nor between two frames that are the same: of those, one file each, a timeline
	// shows one.
	last := make(map[string]int)
	for i, p := range packets {
		last[string(p.Data)] = i
	}
	cut, end := 1, 0
	for i := range len(packets) - 1 {
		if end = max(end, last[string(packets[i].Data)]); end == i && packets[i+1].Time > packets[i].Time {
			cut = i + 1
			if cut >= len(packets)/2 {
				break
			}
		}
	}
	for i, part := range [][]captures.Packet{packets[:cut], packets[cut:]} {
		name := fmt.Sprintf("%s-%d.pcapng", strings.TrimSuffix(filepath.Base(file), ".zst"), i)
		halves = append(halves, flowtest.Write(t, name, part))
	}
	return halves
}
