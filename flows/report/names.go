package report

import (
	"fmt"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// unnamed is what the tables of dissect say to a value that they do not have.
const unnamed = "Unknown"

// StatusName returns the name of a status, or its number where it has none.
func StatusName(s ntstatus.Status) string {
	if name := s.String(); name != unnamed {
		return name
	}
	return fmt.Sprintf("0x%08x", uint32(s))
}

// FunctionName returns the name of a control code, or its number.
func FunctionName(c fscc.Code) string {
	if name := c.String(); name != unnamed {
		return name
	}
	return fmt.Sprintf("0x%08x", uint32(c))
}

// CallName names a call by what it asks for: the control code of an IOCTL, the
// command of any other.
func CallName(command smb2.Command, function fscc.Code) string {
	if command == smb2.Ioctl {
		return FunctionName(function)
	}
	return CommandName(command)
}
