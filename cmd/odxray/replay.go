package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay"
)

func replayCommand(a *app) *cobra.Command {
	var in input
	var selected selectFlags
	var o replayFlags
	cmd := &cobra.Command{
		Use:   "replay FILE... --to smb://user@host[:port]/share",
		Short: "Drives the captured client's requests at a server and compares the answers",
		Long: `replay takes the client side of the captured sessions, drives it at a server, and says
where its answers differ from the captured ones. It writes, renames and deletes as the
captured client did, within the directory --prefix of the share only, unless --anywhere.

The password comes from $ODXRAY_TO_PASSWORD, from --to-password-file, or is asked for;
--use-kerberos logs in with tickets, a keytab or the password by Kerberos.

What counts as a difference is for --level and --rules to say; --known explains some, and
--baseline takes those of an earlier run for known. The exit status is 1 if an answer
differs that nothing explains.`,
		Example: `  odxray replay plan trace.pcapng
  odxray replay trace.pcapng --to smb://user@server/share --prefix lab --prepare --clean
  odxray replay trace.pcapng --to smb://user@server/share --prefix lab --yes -T junit >replay.xml`,
		Args: args(cobra.ArbitraryArgs),
	}
	in.flagsOfFiles(cmd)
	selected.flags(cmd.Flags())
	o.flags(cmd)
	o.runFlags(cmd)
	cmd.Flags().IntVar(&o.clients, "concurrency", 1, "`N` clients at once, each in a directory of its own below --prefix")
	cmd.Flags().IntVar(&o.loops, "loops", 1, "each client replays `N` times, each in a directory of its own")
	format := formatFlag(cmd, report.Text, report.JSON, report.JUnit, report.Markdown)
	cmd.AddCommand(planCommand(a), learnCommand(a), minimiseCommand(a))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withTarget(cmd, &in, args, &selected, &o, o.write, func(ctx context.Context, p *replay.Plan, options replay.Options) error {
			return a.replay(ctx, p, &o, options, *format)
		})
	}
	return cmd
}

// replayFlags are those of replay itself.
type replayFlags struct {
	to, passwordFile                    string
	prefix                              string
	anywhere, yes, force, dryRun, guest bool
	overwrite                           bool
	prepare, clean                      bool
	level, order, speed, odx, fallback  string
	missing, known, write               string
	rules, baseline                     string
	ab, abPasswordFile                  string
	clients, loops                      int
	maxGap, timeOut                     time.Duration
	kerberos                            kerberosFlags
}

func (o *replayFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	choose := func(value *string, name, first, usage string, rest ...string) {
		*value = first
		v := choiceValue{value, append([]string{first}, rest...)}
		f.Var(v, name, usage+": "+strings.TrimPrefix(v.list(), ", "))
		complete(cmd, name, v.of)
	}
	f.StringVar(&o.to, "to", "", "the server, `smb://user@host[:port]/share`")
	f.StringVar(&o.passwordFile, "to-password-file", "", "the password for the server is the first line of `FILE`")
	o.kerberos.flags(cmd, "to-keytab")
	f.BoolVar(&o.guest, "guest", false, "go on if the server takes the user for a guest")
	f.StringVar(&o.prefix, "prefix", "", "what the captured share holds is below this `DIR` of the server's share")
	f.BoolVar(&o.anywhere, "anywhere", false, "no --prefix: the whole share is the captured one's counterpart")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask before anything is written")
	f.BoolVar(&o.force, "force", false, "even at the address of the captured server")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done, and connect to nothing")
	choose(&o.level, "level", "semantic", "what of two answers has to be the same", replay.Levels()[1:]...)
	f.StringVar(&o.rules, "rules", "", "compare fields as the rules of this `FILE` say, which learn can write")
	f.StringVar(&o.known, "known", "", "differences that this `FILE` explains count as the same")
	choose(&o.order, "order", "deps", "a request waits for what it depends on, for what its client had seen, too, or for all before it", "captured", "serial")
	f.StringVar(&o.speed, "speed", "max", "as fast as captured (1), `N` times that, or as fast as possible (max)")
	f.DurationVar(&o.maxGap, "max-gap", 0, "with --speed, wait no longer than this `TIME` between requests")
	f.DurationVar(&o.timeOut, "timeout", 30*time.Second, "give an answer this `TIME`")
	choose(&o.odx, "odx", "exact", "offload: the captured calls, or as many as the captured range takes", "loop")
	choose(&o.fallback, "fallback", "none", "if the server refuses offload, copy with", "copychunk", "plain")
	choose(&o.missing, "missing", "skip", "what stands for data that the capture lacks", "zero", "pattern", "fail")
}

// runFlags are those of a single run.
func (o *replayFlags) runFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.prepare, "prepare", false, "first make the files and directories that the capture presupposes")
	f.BoolVar(&o.clean, "clean", false, "afterwards remove what was made, and nothing else")
	f.StringVar(&o.baseline, "baseline", "", "only what is not as in this run differs: `OLD.json`, as -T json printed it")
	f.StringVar(&o.ab, "ab", "", "then at a second server, `smb://user@host[:port]/share`, and only what is not alike at\nboth differs; its password comes from $ODXRAY_AB_PASSWORD, or is that of the first")
	f.StringVar(&o.abPasswordFile, "ab-password-file", "", "or is the first line of `FILE`")
	f.StringVarP(&o.write, "write", "w", "", "write what was sent and received to `FILE`, as pcapng")
	overwriteFlag(f, &o.overwrite)
}

// dir is the directory of --prefix.
func (o *replayFlags) dir() string { return strings.Trim(strings.ReplaceAll(o.prefix, "/", `\`), `\`) }

// options makes what package replay wants of the flags.
func (o *replayFlags) options() (r replay.Options, err error) {
	if o.to == "" {
		return r, usagef("--to names no server: smb://user@host[:port]/share")
	}
	if r.Target, err = replay.ParseTarget(o.to); err != nil {
		return r, usagef("--to: %w", err)
	}
	prefix := o.dir()
	switch {
	case prefix == "" && !o.anywhere:
		return r, usagef("a replay writes, renames and deletes: give it a directory of the share with --prefix DIR, or let it go --anywhere")
	case prefix != "" && o.anywhere:
		return r, usagef("--prefix and --anywhere exclude each other")
	case strings.Contains(`\`+prefix+`\`, `\..\`):
		return r, usagef("--prefix leads out of the share")
	}
	if prefix != "" {
		r.Target.Dir = strings.Trim(r.Target.Dir+`\`+prefix, `\`)
	}
	if o.speed != "max" {
		if r.Speed, err = strconv.ParseFloat(o.speed, 64); err != nil || !(r.Speed > 0) {
			return r, usagef("--speed is a number above 0, or max")
		}
	}
	if r.Known, err = readNamed(o.known, replay.ReadKnown); err != nil {
		return r, err
	}
	if r.Rules, err = readNamed(o.rules, replay.ReadRules); err != nil {
		return r, err
	}
	r.Level, r.Order, r.Loop = replay.ParseLevel(o.level), replay.Order(o.order), o.odx == "loop"
	r.MaxGap, r.TimeOut, r.Guest, r.Missing = o.maxGap, o.timeOut, o.guest, replay.Missing(o.missing)
	if o.fallback != "none" {
		r.Fallback = o.fallback
	}
	return r, nil
}

// readNamed reads the file of a flag; nil if it names none.
func readNamed[T any](name string, read func(io.Reader, string) (*T, error)) (*T, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &exitError{exitUnreadable, err}
	}
	defer f.Close()
	v, err := read(f, name)
	if err != nil {
		return nil, usagef("%w", err)
	}
	return v, nil
}

// terminated ends a replay as Ctrl-C does, with what was made removed, when a CI system or
// a time limit ends the program.
func terminated(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGTERM)
}

// may asks what has to be asked before anything is sent, and finds what the user logs in
// with. start is false if nothing is to be done.
func (a *app) may(ctx context.Context, p *replay.Plan, o *replayFlags, r *replay.Options, presupposed []*replay.Entry, clean bool) (start bool, err error) {
	if captured := servedBy(ctx, p, r.Target); captured.IsValid() && !o.force {
		return false, usagef("%s is the captured server itself: --force replays there all the same", captured)
	}
	if o.dryRun {
		return false, p.Announce(a.out, *r, presupposed, clean)
	}
	if !o.yes {
		if err := a.confirm(p, *r, presupposed, clean); err != nil {
			return false, err
		}
	}
	password := func() (string, error) {
		if r.Password == "" {
			r.Password, err = a.targetPassword(o, r.Target)
		}
		return r.Password, err
	}
	if r.Kerberos, err = a.kerberosUser(&o.kerberos, r.Target.User, r.Target.Domain, password); err != nil {
		return false, err
	}
	if r.Target.User != "" && r.Kerberos == nil {
		if _, err := password(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// maxClients bounds --concurrency: it is a lab's load, not a flood.
const maxClients = 256

// replay does what the command says, once there is a plan.
func (a *app) replay(ctx context.Context, p *replay.Plan, o *replayFlags, r replay.Options, format report.Format) error {
	ctx, stop := terminated(ctx)
	defer stop()
	switch several := o.clients*o.loops > 1; {
	case o.clients < 1 || o.loops < 1 || o.clients > maxClients:
		return usagef("--concurrency is 1 to %d, and --loops at least 1", maxClients)
	case several && o.anywhere:
		return usagef("--concurrency and --loops give each run a directory of its own, and --anywhere has none")
	case several && (o.ab != "" || o.baseline != ""):
		return usagef("--ab and --baseline are about one run: --concurrency and --loops are about many")
	}
	golden, err := readNamed(o.baseline, replay.ReadGolden)
	if err != nil {
		return err
	}
	presupposed := p.Manifest()
	if !o.prepare {
		presupposed = nil
	}
	second := r
	if o.ab != "" {
		if second.Target, err = o.second(r.Target); err != nil {
			return err
		}
	}
	start, err := a.may(ctx, p, o, &r, presupposed, o.clean)
	if err == nil && o.ab != "" {
		if second.Password, err = o.secondPassword(r.Password); err == nil {
			start, err = a.may(ctx, p, o, &second, presupposed, o.clean)
		}
	}
	if !start || err != nil {
		return err
	}
	result, err := a.traced(o, &r, func() (*replay.Result, error) {
		return replay.Many(ctx, p, r, presupposed, o.clean, o.clients, o.loops)
	})
	switch {
	case err != nil:
		return err
	case result.Unreachable != nil:
		return a.replayed(result, nil, format)
	case o.ab != "":
		other, err := replay.At(ctx, p, second, presupposed, o.clean)
		if err != nil {
			return &exitError{exitUnreadable, err}
		}
		pair, err := replay.NewPair(result, other)
		if err != nil {
			return err
		}
		return a.replayed(other, pair.Text, format)
	case golden != nil:
		if err := result.Against(golden); err != nil {
			return usagef("--baseline: %w", err)
		}
	}
	return a.replayed(result, nil, format)
}

// second returns the target of --ab, in the same directory as the first.
func (o *replayFlags) second(first replay.Target) (t replay.Target, err error) {
	if o.baseline != "" {
		return t, usagef("--ab and --baseline exclude each other")
	}
	if t, err = replay.ParseTarget(o.ab); err != nil {
		return t, usagef("--ab: %w", err)
	}
	if prefix := o.dir(); prefix != "" {
		t.Dir = strings.Trim(t.Dir+`\`+prefix, `\`)
	}
	if t.Address == first.Address && strings.EqualFold(t.Share, first.Share) && strings.EqualFold(t.Dir, first.Dir) && !o.clean {
		return t, usagef("--ab is the same place as --to: what the first run leaves would change the second; --clean removes it")
	}
	return t, nil
}

// secondPassword finds the password for the target of --ab.
func (o *replayFlags) secondPassword(first string) (string, error) {
	if p, ok := os.LookupEnv("ODXRAY_AB_PASSWORD"); ok {
		return p, nil
	}
	if o.abPasswordFile != "" {
		return firstLine(o.abPasswordFile)
	}
	return first, nil
}

// traced runs with the capture that -w wants.
func (a *app) traced(o *replayFlags, r *replay.Options, run func() (*replay.Result, error)) (*replay.Result, error) {
	var trace *replay.Trace
	var out *os.File
	if o.write != "" {
		var err error
		if out, err = os.Create(o.write); err != nil {
			return nil, &exitError{exitUnreadable, err}
		}
		defer out.Close() // where it does not come to the end
		if trace, err = replay.NewTrace(out); err != nil {
			return nil, &exitError{exitUnreadable, err}
		}
		r.Tap = trace.Tap
	}
	result, err := run()
	if err != nil {
		return nil, &exitError{exitUnreadable, err}
	}
	if trace != nil {
		if err := errors.Join(trace.Err(), out.Close()); err != nil {
			return nil, &exitError{exitUnreadable, fmt.Errorf("%s: %w", o.write, err)}
		}
	}
	return result, nil
}

// replayed prints a result, and has the exit status say what it is. text, if it is not nil,
// prints it as text.
func (a *app) replayed(result *replay.Result, text func(io.Writer) error, format report.Format) (err error) {
	if text == nil {
		text = result.Text
	}
	switch format {
	case report.JSON:
		err = result.JSON(a.out)
	case report.JUnit:
		err = result.JUnit(a.out)
	case report.Markdown:
		err = result.Markdown(a.out)
	default:
		err = text(a.out)
	}
	switch {
	case err != nil:
		return err
	case result.Unreachable != nil:
		return &exitError{exitUnreadable, result.Unreachable}
	case result.Differs():
		return &exitError{code: exitFindings}
	}
	return nil
}

// servedBy returns the address that the target shares with a captured server; invalid if
// there is none.
func servedBy(ctx context.Context, p *replay.Plan, t replay.Target) (a netip.Addr) {
	host, port, err := net.SplitHostPort(t.Address)
	if err != nil {
		return a
	}
	addresses := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, literal)
	} else if found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host); err == nil {
		addresses = found
	}
	for i := range p.Conns {
		s := p.Conns[i].Server
		for _, a := range addresses {
			if s.Addr().Unmap() == a.Unmap() && strconv.Itoa(int(s.Port())) == port {
				return a
			}
		}
	}
	return a
}

// confirm shows what will be done, and asks.
func (a *app) confirm(p *replay.Plan, r replay.Options, presupposed []*replay.Entry, clean bool) error {
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return usagef("a replay writes, renames and deletes at %s, and there is no terminal to ask: --yes says that it may, --dry-run shows what", r.Target)
	}
	if err := p.Announce(a.stderr, r, presupposed, clean); err != nil {
		return err
	}
	fmt.Fprint(a.stderr, "Go on? [y/N] ")
	line, err := bufio.NewReader(in).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); err != nil || answer != "y" && answer != "yes" {
		return usagef("nothing was done")
	}
	return nil
}

// targetPassword finds the password for the target, which it never shows.
func (a *app) targetPassword(o *replayFlags, t replay.Target) (string, error) {
	if p, ok := os.LookupEnv("ODXRAY_TO_PASSWORD"); ok {
		return p, nil
	}
	if o.passwordFile != "" {
		return firstLine(o.passwordFile)
	}
	in, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", usagef("there is no password for %s: give $ODXRAY_TO_PASSWORD or --to-password-file", t.User)
	}
	fmt.Fprintf(a.stderr, "Password of %s at %s: ", report.Escape(t.User), report.Escape(t.Host))
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(a.stderr)
	if err != nil {
		return "", usagef("no password: %w", err)
	}
	return string(b), nil
}

// firstLine reads the password in a file.
func firstLine(file string) (password string, err error) {
	err = eachLine(file, func(line string) {
		if password == "" {
			password = line
		}
	})
	if err == nil && password == "" {
		err = errors.New(file + " holds no password")
	}
	if err != nil {
		return "", &exitError{exitUnreadable, err}
	}
	return password, nil
}

// selectFlags choose a part of a capture's requests.
type selectFlags struct {
	words  []string
	copies []int
}

func (s *selectFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.words, "select", nil, "only what is on `connection=N`, session=0x…, share=NAME, copy=N or step=N-M, and what that needs; may be repeated")
	f.IntSliceVar(&s.copies, "copy", nil, "only copy `N`, as odxray copies numbers them, and what that needs")
}

func (s *selectFlags) selection() (sel replay.Selection, err error) {
	for _, w := range s.words {
		if err := sel.ParseSelect(w); err != nil {
			return sel, usagef("--select: %w", err)
		}
	}
	sel.Copies = append(sel.Copies, s.copies...)
	return sel, nil
}

func planCommand(a *app) *cobra.Command {
	var in input
	var selected selectFlags
	cmd := &cobra.Command{
		Use:   "plan FILE...",
		Short: "What replay would do: one line a request",
		Long: `plan prints what replay would do with the requests of a capture: one line each, with the
slots that it needs ($sid, $tid, $fid, …), those that its answer gives, the steps that come
before it (in brackets those that only have to be sent before it), and the answer to expect.`,
		Args: args(cobra.ArbitraryArgs),
	}
	in.flagsOfFiles(cmd)
	selected.flags(cmd.Flags())
	format := formatFlag(cmd, report.Text, report.JSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		sel, err := selected.selection()
		if err != nil {
			return err
		}
		return a.withPlan(cmd, &in, args, sel, func(_ context.Context, p *replay.Plan) error {
			if *format == report.JSON {
				return p.JSON(a.out)
			}
			return p.Text(a.out)
		})
	}
	return cmd
}

// withTarget is withPlan for who drives a plan at a server, and writes a file.
func (a *app) withTarget(cmd *cobra.Command, in *input, args []string, selected *selectFlags, o *replayFlags, writes string, use func(context.Context, *replay.Plan, replay.Options) error) error {
	sel, err := selected.selection()
	if err != nil {
		return err
	}
	options, err := o.options()
	if err != nil {
		return err
	}
	if err := mayWrite(writes, o.overwrite, slices.Concat(in.files, args)...); err != nil {
		return err
	}
	return a.withPlan(cmd, in, args, sel, func(ctx context.Context, p *replay.Plan) error { return use(ctx, p, options) })
}

// withPlan reads captures, makes a plan of them and hands it to use.
func (a *app) withPlan(cmd *cobra.Command, in *input, args []string, sel replay.Selection, use func(context.Context, *replay.Plan) error) error {
	chosen := in.Filter
	in.Filter, in.Index = nil, true // the whole capture is read: what is chosen needs what came before it
	return a.read(cmd, in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
		return a.pass(ctx, c.Run, func() error {
			p, err := replay.Extract(c)
			if err != nil {
				return &exitError{exitUnreadable, err}
			}
			if chosen != nil {
				sel.Choose = c.ChooseExchanges(chosen)
			}
			if err := p.Select(sel, c.Results()); err != nil {
				return usagef("%w", err)
			}
			return use(ctx, p)
		})
	})
}
