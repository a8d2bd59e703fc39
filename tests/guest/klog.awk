# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Judges the guest's console log, in which every line is at warning level or above.
# awk -v allow=FILE -f klog.awk LOG: prints what is wrong; exit status 1 if anything is.
#
# A line is fine when it matches the allow-list, or an announcement made before it.

BEGIN {
	while ((getline regex < allow) > 0)
		if (regex != "" && regex !~ /^#/)
			allowed[++n_allowed] = regex
}

{
	sub(/\r$/, "")
	sub(/^\[ *[0-9]+\.[0-9]+\] /, "")
}

/^$/ || /^guest: exit [0-9]+$/ { next }

/^expect: / {
	announced[++n_announced] = substr($0, 9)
	next
}

{
	# Of equal announcements each wants a line of its own; a line more is fine.
	found = 0
	for (i = 1; i <= n_announced && found != 2; i++)
		if ($0 ~ announced[i]) {
			found = i in came ? 1 : 2
			came[i] = 1
		}
	if (found)
		next
	for (i = 1; i <= n_allowed; i++)
		if ($0 ~ allowed[i])
			next
	print "# unexpected kernel message: " $0
	bad = 1
}

END {
	for (i = 1; i <= n_announced; i++)
		if (!(i in came)) {
			print "# announced kernel message never came: " announced[i]
			bad = 1
		}
	exit bad
}
