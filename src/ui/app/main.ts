import "./lab-app.ts";
