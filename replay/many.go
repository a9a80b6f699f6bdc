package replay

// Many runs of one plan: several clients at once, each several times over. Every run has a
// directory of its own below the target's, so that none sees what another does.

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
)

// Many has clients replay at once, each loops times, as At does once. The result is that of
// the first run with an answer that differs, or else of the first; its Notes say what
// became of all. The error is that the target cannot be reached or prepared.
func Many(ctx context.Context, p *Plan, o Options, presupposed []*Entry, clean bool, clients, loops int) (*Result, error) {
	if clients*loops == 1 {
		return At(ctx, p, o, presupposed, clean)
	}
	stage, err := OpenStage(ctx, p, o) // holds the directory that all runs are in
	if err != nil {
		return nil, err
	}
	defer stage.Close()
	if err := stage.Prefix(ctx); err != nil {
		return nil, fmt.Errorf("the target cannot be prepared: %w", err)
	}
	began := time.Now()
	results, errs := make([]*Result, clients*loops), make([]error, clients)
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for n := c * loops; n < (c+1)*loops && ctx.Err() == nil && errs[c] == nil; n++ {
				results[n], errs[c] = At(ctx, p, o.asRun(n, len(p.Conns)), presupposed, clean)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	results = slices.DeleteFunc(results, func(r *Result) bool { return r == nil })
	if len(results) == 0 {
		return nil, context.Cause(ctx)
	}
	worst := results[0]
	if i := slices.IndexFunc(results, func(r *Result) bool { return r.Unreachable != nil || r.Differs() }); i >= 0 {
		worst = results[i]
	}
	if clean {
		for _, left := range stage.Clean(context.WithoutCancel(ctx), nil) {
			worst.Notes = append(worst.Notes, "left at the target: "+left)
		}
	}
	worst.Notes = append(worst.Notes, summed(results, clients, took))
	return worst, nil
}

// asRun is the options of the n-th run, whose connections are numbered behind those of the
// runs before.
func (o Options) asRun(n, conns int) Options {
	o.Target.Dir = joined(o.Target.Dir, fmt.Sprintf("run%d", n+1))
	if tap := o.Tap; tap != nil {
		o.Tap = func(conn int, local, remote net.Addr, u *client.Unit) { tap(n*conns+conn, local, remote, u) }
	}
	return o
}

// summed says what became of all runs.
func summed(results []*Result, clients int, took time.Duration) string {
	good, answers := 0, 0
	var times []time.Duration
	for _, r := range results {
		if !r.Differs() {
			good++
		}
		for i := range r.Outcomes {
			if d, ok := r.Outcomes[i].Took(); ok {
				answers++
				times = append(times, d)
			}
		}
	}
	slices.Sort(times)
	text := fmt.Sprintf("%s, %d at once: in %s of them every answer is the same or known; %s answers in %s", report.Plural(len(results), "run", "runs"), clients,
		report.Count(good), report.Count(answers), report.Took(took))
	if len(times) > 0 {
		text += fmt.Sprintf(", p50 %s, p99 %s", report.Took(times[len(times)/2]), report.Took(times[len(times)*99/100]))
	}
	return text
}
