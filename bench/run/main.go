//go:build unix

// Run measures odxray beside the tools that people use for the same, on captures that
// bench/generate makes, and writes what came out to bench/RESULTS.md. It needs tshark
// and capinfos, and some gigabytes of disk; run it in the project's root:
//
//	go run ./bench/run -dir bench/data
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	var r runner
	out := flag.String("o", "bench/RESULTS.md", "`FILE` to write")
	flag.StringVar(&r.dir, "dir", "bench/data", "`DIR` for the captures")
	flag.IntVar(&r.rounds, "rounds", 3, "`N` times that each command runs")
	flag.IntVar(&r.most, "most", 3000, "size of the largest capture, in `MB`")
	some := flag.String("tasks", "", "`NAMES` of tasks, with commas between, to do only those")
	flag.Parse()
	if *some != "" {
		r.tasks = strings.Split(*some, ",")
	}
	if err := r.run(); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
	if err := os.WriteFile(*out, r.report.Bytes(), 0o666); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

type runner struct {
	dir    string
	rounds int
	most   int
	tasks  []string // by name; all if there are none
	report bytes.Buffer
}

// fields are what -T fields prints.
var fields = []string{"frame.number", "frame.time_epoch", "ip.src", "ip.dst", "tcp.stream", "smb2.cmd", "smb2.msg_id", "smb2.nt_status"}

// jsonFrames is how many frames -T json prints: tshark needs a minute for 100 MB.
const jsonFrames = "20000"

// captures are what is measured, and how many times less CPU than tshark odxray has to
// need for it; 0 where no target is set.
var captures = []struct {
	kind    string
	mb      int
	about   string
	targets map[string]float64
}{
	{"bulk", 330, "reads and writes of 1 MiB in frames of 1500 bytes", map[string]float64{"summary": 25, "list -T fields": 40, "list -T json": 15}},
	{"metadata", 100, "small files opened, asked, read and closed by 16 clients at once", map[string]float64{"summary": 12, "list -T fields": 60, "list -T json": 15}},
	{"mixed", 200, "both, and offloaded copies", map[string]float64{"summary": 20, "list -T json": 15}},
	{"odx", 100, "offloaded copies in calls of 1 MiB", map[string]float64{"list -T json": 15}},
	{"sealed", 330, "bulk, encrypted with AES-128-GCM, with its keys", map[string]float64{"summary": 10}},
	{"rocev2", 330, "bulk by SMB Direct over RoCEv2", map[string]float64{"summary": 20}},
	{"iwarp", 330, "bulk by SMB Direct over iWARP, with checksums", map[string]float64{"summary": 20}},
}

func (r *runner) run() error {
	odxray := filepath.Join(r.dir, "odxray")
	if err := os.MkdirAll(r.dir, 0o777); err != nil {
		return err
	}
	os.Setenv("CGO_ENABLED", "0") // as README.md builds it
	if err := execute("go", "build", "-o", odxray, "./cmd/odxray"); err != nil {
		return err
	}
	r.head()
	for _, c := range captures {
		file, err := r.capture(c.kind, c.mb)
		if err != nil {
			return err
		}
		todo := slices.DeleteFunc(tasks(odxray, file), func(t task) bool { return r.tasks != nil && !slices.Contains(r.tasks, t.name) })
		if err := r.compare(c.kind+": "+c.about, file, todo, c.targets); err != nil {
			return err
		}
	}
	return r.slope(odxray)
}

// capture makes a capture unless it is there.
func (r *runner) capture(kind string, mb int) (string, error) {
	file := filepath.Join(r.dir, fmt.Sprintf("%s-%d.pcapng", kind, mb))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	return file, execute("go", "run", "./bench/generate", "-kind", kind, "-mb", strconv.Itoa(mb), file)
}

func execute(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// task is a thing to do, and the commands that do it.
type task struct {
	name string
	runs []*command
}

type command struct {
	tool string
	args []string
	used []usage
}

func tasks(odxray, file string) []task {
	var columns []string
	for _, f := range fields {
		columns = append(columns, "-e", f)
	}
	ours, theirs := []string{odxray}, []string{"tshark", "-n", "-r", file}
	if keys, err := os.ReadFile(file + ".keys"); err == nil {
		ours = append(ours, "--keys", file+".keys")
		for _, line := range strings.Fields(string(keys)) {
			theirs = append(theirs, "-o", "uat:smb2_seskey_list:"+line)
		}
	}
	odx := func(args ...string) *command {
		return &command{tool: "odxray", args: slices.Concat(ours[:1], args, ours[1:])}
	}
	tshark := func(args ...string) *command {
		return &command{tool: "tshark", args: slices.Concat(theirs, args)}
	}
	return []task{
		{"summary", []*command{odx("summary", file), tshark("-q", "-z", "smb2,srt")}},
		{"audit", []*command{odx("audit", "--fail-on", "never", file), tshark("-q", "-z", "smb2,srt")}},
		{"list", []*command{odx("list", file), tshark()}},
		{"list -T fields", []*command{
			odx(slices.Concat([]string{"list", "-T", "fields"}, columns, []string{file})...),
			tshark(slices.Concat([]string{"-T", "fields"}, columns)...),
		}},
		{"list -T json", []*command{odx("list", "-T", "json", "-c", jsonFrames, file), tshark("-T", "json", "-c", jsonFrames)}},
		{"read the file", []*command{
			{tool: "capinfos", args: []string{"capinfos", file}},
			{tool: "cat", args: []string{"cat", file}},
		}},
	}
}

// usage is what a run took.
type usage struct{ cpu, wall, memory float64 } // seconds, seconds, MB

// A command that takes less than short seconds runs shortRuns times in a round, and the
// least counts: clocks are coarse, and other work shows.
const (
	short     = 1.0
	shortRuns = 5
)

// measure runs the commands in turn, so that what else the machine does meets all alike.
func (r *runner) measure(file string, tasks []task) error {
	if _, err := run([]string{"cat", file}); err != nil { // into the page cache
		return err
	}
	for range r.rounds {
		for _, t := range tasks {
			for _, c := range t.runs {
				u, err := run(c.args)
				for range shortRuns - 1 {
					if err != nil || u.cpu > short {
						break
					}
					var more usage
					if more, err = run(c.args); more.cpu < u.cpu {
						u = more
					}
				}
				if err != nil {
					return err
				}
				c.used = append(c.used, u)
			}
		}
	}
	return nil
}

// median of one number of all runs.
func (c *command) median(of func(usage) float64) float64 {
	var v []float64
	for _, u := range c.used {
		v = append(v, of(u))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func cpu(u usage) float64    { return u.cpu }
func wall(u usage) float64   { return u.wall }
func memory(u usage) float64 { return u.memory }

// ratio is the median over the rounds of how much more b took than a.
func ratio(a, b *command, of func(usage) float64) float64 {
	var v []float64
	for i := range a.used {
		v = append(v, of(b.used[i])/max(of(a.used[i]), 0.001))
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// compare measures tasks and adds their table.
func (r *runner) compare(title, file string, tasks []task, targets map[string]float64) error {
	if err := r.measure(file, tasks); err != nil {
		return err
	}
	fmt.Fprintf(&r.report, "\n## %s\n\n", title)
	fmt.Fprintln(&r.report, "| | | CPU | wall | memory | CPU less | target | wall less | memory less |\n|---|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, t := range tasks {
		for i, c := range t.runs {
			fmt.Fprintf(&r.report, "| %s | %s | %.2f s | %.2f s | %.0f MB |", t.name, c.tool, c.median(cpu), c.median(wall), c.median(memory))
			if i > 0 || c.tool != "odxray" {
				fmt.Fprintln(&r.report, " | | | |")
				continue
			}
			other := t.runs[1]
			target := ""
			if n := targets[t.name]; n > 0 {
				target = fmt.Sprintf("%.0f×", n)
			}
			fmt.Fprintf(&r.report, " %.0f× | %s | %.0f× | %.0f× |\n", ratio(c, other, cpu), target, ratio(c, other, wall), ratio(c, other, memory))
		}
	}
	return nil
}

// slope shows what a gigabyte costs in files of several sizes.
func (r *runner) slope(odxray string) error {
	fmt.Fprintf(&r.report, "\n## What a gigabyte costs\n\n| capture | `summary` | memory | `audit` | memory |\n|---|--:|--:|--:|--:|\n")
	for _, kind := range []string{"bulk", "metadata", "mixed"} {
		for _, mb := range slices.Compact([]int{100, 1000, r.most}) {
			if kind != "bulk" && mb > 3000 {
				continue // enough to see whether anything grows
			}
			file, err := r.capture(kind, mb)
			if err != nil {
				return err
			}
			st, err := os.Stat(file)
			if err != nil {
				return err
			}
			of := []*command{{args: []string{odxray, "summary", file}}, {args: []string{odxray, "audit", "--fail-on", "never", file}}}
			if err := r.measure(file, []task{{runs: of}}); err != nil {
				return err
			}
			fmt.Fprintf(&r.report, "| %s, %.1f GB |", kind, float64(st.Size())/1e9)
			for _, c := range of {
				fmt.Fprintf(&r.report, " %.2f s/GB | %.0f MB |", c.median(cpu)/float64(st.Size())*1e9, c.median(memory))
			}
			fmt.Fprintln(&r.report)
		}
	}
	return nil
}

func (r *runner) head() {
	version, _ := exec.Command("tshark", "--version").Output()
	line, _, _ := strings.Cut(string(version), " (Git")
	fmt.Fprintf(&r.report, `# Measurements

Made by `+"`go run ./bench/run`"+`: %d cores, %s, page cache warm, output thrown away; medians, rounds
in which the commands took turns: %d (what takes less than a second ran five times in a round, and the least counts). What else the machine does shows in wall time. CPU is user and system seconds; "less" is how many times less
odxray took than tshark. The tasks are `+"`odxray summary`, `odxray audit`"+` (both against `+"`tshark -q -z smb2,srt`"+`),
`+"`list`"+` against tshark's list, `+"`-T fields`"+` with %d fields, and `+"`-T json`"+` of the first %s frames.
`, runtime.NumCPU(), cmp.Or(line, "no tshark"), r.rounds, len(fields), jsonFrames)
}

// run runs a command and says what it took.
func run(args []string) (usage, error) {
	cmd := exec.Command(args[0], args[1:]...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return usage{}, err
	}
	defer null.Close()
	cmd.Stdout = null
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, &complaints)
	}
	took := time.Since(start)
	s := cmd.ProcessState
	peak := float64(s.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" { // counts bytes, others kilobytes
		peak /= 1024
	}
	return usage{(s.UserTime() + s.SystemTime()).Seconds(), took.Seconds(), peak * 1024 / 1e6}, nil
}
