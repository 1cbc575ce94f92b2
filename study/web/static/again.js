// A page that answers a form asks again after "Back" whether to send it again; as a plain page it does not.
"use strict";
history.replaceState(null, "", location.href);
