// Makes the answer to a form a plain page, so that after "Back" the browser does not ask to send the form again.
"use strict";
history.replaceState(null, "", location.href);
