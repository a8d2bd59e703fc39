# SPDX-License-Identifier: GPL-2.0-only OR MIT
# What several test programs printed in one guest, as one TAP: numbered anew, one plan, and a last
# case for the guest's own exit status: awk -v status=STATUS -f one_plan.awk OUTPUT
/^TAP version / || /^1\.\.[0-9]+/ || /^# Totals: / { next }
/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++n) }
{ print }
END {
	print (status ? "not ok " : "ok ") ++n " all ended well, and the kernel has nothing to complain about"
	print "1.." n
}
