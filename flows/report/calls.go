package report

import "github.com/odxray/odxray/flows"

// Calls is the response times and failures of calls, by name: a control code, or a
// command, whose IOCTLs are all control codes together.
type Calls struct{ codes, commands *flows.Stats }

// NewCalls returns Calls without an exchange.
func NewCalls() *Calls {
	return &Calls{flows.NewStats(flows.ByCode), flows.NewStats(flows.ByCommand)}
}

// Add counts an exchange.
func (c *Calls) Add(x *flows.Exchange) {
	c.codes.Add(x)
	c.commands.Add(x)
}

// byName returns what is known of each call.
func (c *Calls) byName() map[string]*flows.Group {
	groups := map[string]*flows.Group{}
	for _, g := range c.commands.Groups() {
		groups[CommandName(g.Command)] = g
	}
	for _, g := range c.codes.Groups() {
		if g.Keys == 0 {
			groups[FunctionName(g.Function)] = g
		}
	}
	return groups
}
